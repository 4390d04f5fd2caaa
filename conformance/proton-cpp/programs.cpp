// Programs with proton's C++ binding for what its shipped examples don't reach. The first argument says which one.
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/decimal.hpp>
#include <proton/delivery.hpp>
#include <proton/link.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender_options.hpp>
#include <proton/source_options.hpp>
#include <proton/target_options.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/types.hpp>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// An exception would leave the container waiting for its other connections.
[[noreturn]] void fail(const std::string& why) {
    std::cerr << why << std::endl;
    std::_Exit(1);
}

// A program with one connection, for which every error that it does not expect is one.
class program : public proton::messaging_handler {
  public:
    program(const std::string& url, const std::string& address) : url(url), address(address) {}

    void run() { proton::container(*this).run(); }

    void on_container_start(proton::container& c) override { c.connect(url); }

    void on_tracker_reject(proton::tracker&) override { fail("rejected"); }

  protected:
    const std::string url;
    const std::string address;
};

// Sends a value of every type as the body, and each of them as an application property, and compares what comes back.
class types : public program {
  public:
    types(const std::string& url, const std::string& address) : program(url, address), next(0) {
        const std::vector<proton::scalar> scalars = {
            true, uint8_t(255), int8_t(-128), uint16_t(65535), int16_t(-32768), uint32_t(4294967295u), int32_t(-2147483647),
            uint64_t(18446744073709551615u), int64_t(-9223372036854775807), wchar_t(0x1F600), 1.5f, 5e-324,
            proton::timestamp(1700000000123), proton::decimal32(), proton::decimal64(), proton::decimal128(),
            proton::uuid::random(), std::string("ünïcödé 😀"), proton::symbol("a:symbol"),
            proton::binary(std::string("\x00\xff\x01", 3))};
        for (size_t i = 0; i < scalars.size(); ++i) {
            values.push_back(scalars[i]);
            properties["property " + std::to_string(i)] = scalars[i];
        }
        values.push_back(proton::value());
        values.push_back(std::vector<int32_t>{1, -2, 300000});
        values.push_back(std::vector<std::string>{"", "b"});
        values.push_back(std::vector<proton::value>{1, "two", proton::null(), std::vector<proton::value>{3.0}});
        values.push_back(std::map<proton::value, proton::value>{{"k", 1}, {proton::symbol("s"), "v"}, {7, proton::null()}});
        proton::value described;
        proton::codec::encoder encoder(described);
        encoder << proton::codec::start::described() << proton::symbol("shop:price") << 100 << proton::codec::finish();
        values.push_back(described);
    }

    void on_connection_open(proton::connection& c) override {
        c.open_receiver(address);
        c.open_sender(address);
    }

    void on_sendable(proton::sender& s) override {
        for (; next < values.size() && s.credit(); ++next) {
            proton::message m(values[next]);
            for (const auto& property : properties) m.properties().put(property.first, property.second);
            m.message_annotations().put("x-opt-number", next);
            m.durable(true);
            s.send(m);
        }
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        const size_t number = received++;
        if (!same(m.body(), values[number])) {
            fail("sent " + to_string(values[number]) + ", but got " + to_string(m.body()));
        }
        for (const auto& property : properties) {
            const proton::scalar back = m.properties().get(property.first);
            if (!(back == property.second) || back.type() != property.second.type()) {
                fail("sent the property " + to_string(property.second) + ", but got " + to_string(back));
            }
        }
        if (proton::get<uint64_t>(m.message_annotations().get("x-opt-number")) != number) {
            fail("out of order");
        }
        if (received == values.size()) {
            std::cout << received << " values came back" << std::endl;
            d.connection().close();
        }
    }

  private:
    // By their bytes: proton's == throws when there is a null in them.
    static bool same(const proton::value& a, const proton::value& b) {
        return proton::message(a).encode() == proton::message(b).encode();
    }

    std::vector<proton::value> values;
    std::map<std::string, proton::scalar> properties;
    size_t next;
    size_t received = 0;
};

// Takes four messages and accepts, releases, modifies and rejects one each.
class outcomes : public program {
  public:
    outcomes(const std::string& url, const std::string& address) : program(url, address) {}

    void on_connection_open(proton::connection& c) override {
        c.open_receiver(address, proton::receiver_options().auto_accept(false).credit_window(0)).add_credit(4);
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        const std::string how = proton::get<std::string>(m.body());
        if (how == "accept") d.accept();
        if (how == "release") d.release();
        if (how == "modify") d.modify();
        if (how == "reject") d.reject();
        std::cout << how << std::endl;
        if (++received == 4) d.connection().close();
    }

  private:
    int received = 0;
};

// Drains a queue, as often as it is told to, and says what it got.
class drain : public program {
  public:
    drain(const std::string& url, const std::string& address) : program(url, address) {}

    void on_connection_open(proton::connection& c) override {
        c.open_receiver(address, proton::receiver_options().credit_window(0));
    }

    void on_receiver_open(proton::receiver& r) override { ask(r); }

    void on_message(proton::delivery&, proton::message& m) override { std::cout << m.body() << std::endl; }

    void on_receiver_drain_finish(proton::receiver& r) override {
        std::cout << "drained" << std::endl;
        if (++rounds == 3) {
            r.connection().close();
        } else {
            ask(r);
        }
    }

  private:
    static void ask(proton::receiver& r) {
        r.add_credit(10);
        r.drain();
    }

    int rounds = 0;
};

// Sends to three addresses over one sender without an address.
class relay : public program {
  public:
    relay(const std::string& url, const std::string& address) : program(url, address) {}

    void on_connection_open(proton::connection& c) override {
        c.open_sender("", proton::sender_options().target(proton::target_options().anonymous(true)));
    }

    void on_sendable(proton::sender& s) override {
        for (; sent < 9 && s.credit(); ++sent) {
            proton::message m(sent);
            m.to(address + "." + std::to_string(sent % 3));
            s.send(m);
        }
    }

    void on_tracker_accept(proton::tracker& t) override {
        if (++accepted == 9) t.connection().close();
    }

  private:
    int sent = 0;
    int accepted = 0;
};

// Opens a durable subscription to a topic, takes what there is until the message "end", and detaches without ending it.
class subscribe : public program {
  public:
    subscribe(const std::string& url, const std::string& address) : program(url, address) {}

    void on_container_start(proton::container& c) override {
        c.connect(url, proton::connection_options().container_id(address + ".client"));
    }

    void on_connection_open(proton::connection& c) override {
        c.open_receiver(address, proton::receiver_options().name("inbox").source(
            proton::source_options().durability_mode(proton::source::UNSETTLED_STATE)
                .expiry_policy(proton::source::NEVER).capabilities({proton::symbol("topic")})));
    }

    void on_receiver_open(proton::receiver&) override { std::cout << "subscribed" << std::endl; }

    void on_message(proton::delivery& d, proton::message& m) override {
        std::cout << m.body() << std::endl;
        if (proton::get<std::string>(m.body()) == "end") {
            d.accept();
            d.receiver().detach();
        }
    }

    void on_receiver_detach(proton::receiver& r) override { r.connection().close(); }
};

// Says which message of a large number, sent settled, came when: all, in their order.
class settled : public program {
  public:
    settled(const std::string& url, const std::string& address) : program(url, address) {}

    void on_connection_open(proton::connection& c) override {
        c.open_receiver(address, proton::receiver_options().delivery_mode(proton::delivery_mode::AT_MOST_ONCE));
        c.open_sender(address, proton::sender_options().delivery_mode(proton::delivery_mode::AT_MOST_ONCE));
    }

    void on_sendable(proton::sender& s) override {
        for (; sent < count && s.credit(); ++sent) s.send(proton::message(sent));
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        if (!d.settled()) fail("it was not settled");
        if (proton::get<int>(m.body()) != received++) fail("out of order");
        if (received == count) {
            std::cout << count << " in order" << std::endl;
            d.connection().close();
        }
    }

  private:
    static const int count = 2000;
    int sent = 0;
    int received = 0;
};

const std::map<std::string, std::function<void(const std::string&, const std::string&)>> programs = {
    {"types", [](const std::string& u, const std::string& a) { types(u, a).run(); }},
    {"outcomes", [](const std::string& u, const std::string& a) { outcomes(u, a).run(); }},
    {"drain", [](const std::string& u, const std::string& a) { drain(u, a).run(); }},
    {"relay", [](const std::string& u, const std::string& a) { relay(u, a).run(); }},
    {"subscribe", [](const std::string& u, const std::string& a) { subscribe(u, a).run(); }},
    {"settled", [](const std::string& u, const std::string& a) { settled(u, a).run(); }},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4 || !programs.count(argv[1])) {
        std::cerr << "usage: " << argv[0] << " PROGRAM URL ADDRESS" << std::endl;
        return 2;
    }
    try {
        programs.at(argv[1])(argv[2], argv[3]);
        return 0;
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
        return 1;
    }
}
