/* Programs with proton's C library for what its shipped examples don't reach. Usage: programs PROGRAM HOST PORT ADDRESS COUNT */
#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/link.h>
#include <proton/proactor.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <proton/transport.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 512, PART = 16 * 1024, HEAD = 8 };

struct app {
  const char *address;
  int count;
  pn_proactor_t *proactor;
  pn_connection_t *connection;
  pn_session_t *session;
  pn_link_t *link;
  int sent, aborted, answered, received, settled;
  /* Of the message that is being streamed. */
  bool streaming;
  size_t size, offset, end;
  bool reattached, done;
};

static void fail(const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  vfprintf(stderr, text, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static void check(pn_condition_t *condition) {
  if (pn_condition_is_set(condition)) {
    fail("%s: %s", pn_condition_get_name(condition), pn_condition_get_description(condition));
  }
}

static void open_receiver(struct app *app, const char *name, pn_rcv_settle_mode_t mode, int credit) {
  app->link = pn_receiver(app->session, name);
  pn_terminus_set_address(pn_link_source(app->link), app->address);
  pn_link_set_rcv_settle_mode(app->link, mode);
  pn_link_open(app->link);
  pn_link_flow(app->link, credit);
}

static void open_sender(struct app *app, const char *name, pn_rcv_settle_mode_t mode) {
  app->link = pn_sender(app->session, name);
  pn_terminus_set_address(pn_link_target(app->link), app->address);
  pn_link_set_snd_settle_mode(app->link, PN_SND_UNSETTLED);
  pn_link_set_rcv_settle_mode(app->link, mode);
  pn_link_open(app->link);
}

static void must_be_accepted(pn_delivery_t *delivery) {
  const uint64_t state = pn_delivery_remote_state(delivery);
  if (state != PN_ACCEPTED) fail("not accepted, but %d", (int)state);
}

/* A delivery with its own tag, and the head of a message that has one data section of this size. */
static void begin(struct app *app, size_t size) {
  const uint32_t n = (uint32_t)size;
  const char head[HEAD] = {0, 0x53, 0x75, (char)0xb0, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
  pn_delivery(app->link, pn_dtag((const char *)&app->sent, sizeof app->sent));
  pn_link_send(app->link, head, HEAD);
  app->sent++;
}

/* The next part of a message's body: each of its bytes is the message's number. */
static void send_part(struct app *app, size_t length) {
  char part[PART];
  memset(part, app->sent, length);
  pn_link_send(app->link, part, length);
}

/* Takes what has come of a delivery; true when that is all of it. */
static bool taken(pn_delivery_t *delivery) {
  char part[PART];
  while (pn_link_recv(pn_delivery_link(delivery), part, sizeof part) > 0) {
  }
  if (pn_delivery_partial(delivery)) return false;
  pn_link_advance(pn_delivery_link(delivery));
  return true;
}

/* aborts: streams so many messages and gives up two of three of them, each after another number of bytes. */
static void aborts(struct app *app, pn_event_t *event) {
  switch (pn_event_type(event)) {
    case PN_SESSION_INIT:
      open_sender(app, "aborts", PN_RCV_FIRST);
      break;

    /* What was written in one event is sent before the next one, so that the broker has seen the beginning of what is aborted. */
    case PN_LINK_FLOW:
    case PN_CONNECTION_WAKE:
      if (app->sent == app->count && !app->streaming) break;
      if (!app->streaming) {
        if (pn_link_credit(app->link) <= 0) break;
        app->size = 1000 + (size_t)app->sent * 9973 % 200000;
        app->end = app->sent % 3 == 2 ? app->size : app->size * (size_t)(app->sent % 10) / 10;
        app->offset = 0;
        app->streaming = true;
        begin(app, app->size);
      } else if (app->offset < app->end) {
        const size_t left = app->end - app->offset;
        const size_t length = left < PART ? left : PART;
        send_part(app, length);
        app->offset += length;
      } else if (app->end < app->size) {
        pn_delivery_abort(pn_link_current(app->link));
        app->aborted++;
        app->streaming = false;
      } else {
        pn_link_advance(app->link);
        app->streaming = false;
      }
      pn_connection_wake(app->connection);
      break;

    case PN_DELIVERY: {
      pn_delivery_t *delivery = pn_event_delivery(event);
      must_be_accepted(delivery);
      pn_delivery_settle(delivery);
      app->answered++;
      break;
    }
    default:
      break;
  }
  if (!app->done && app->sent == app->count && !app->streaming && app->aborted + app->answered == app->count) {
    app->done = true;
    printf("%d aborted, %d accepted\n", app->aborted, app->answered);
    pn_connection_close(app->connection);
  }
}

/* send-second: settles each of its messages after the broker has said, without settling, that it accepts it. */
static void send_second(struct app *app, pn_event_t *event) {
  switch (pn_event_type(event)) {
    case PN_SESSION_INIT:
      open_sender(app, "send-second", PN_RCV_SECOND);
      break;

    case PN_LINK_FLOW:
      while (app->sent < app->count && pn_link_credit(app->link) > 0) {
        begin(app, 100);
        send_part(app, 100);
        pn_link_advance(app->link);
      }
      break;

    case PN_DELIVERY: {
      pn_delivery_t *delivery = pn_event_delivery(event);
      must_be_accepted(delivery);
      if (pn_delivery_settled(delivery)) fail("the broker settled first");
      pn_delivery_settle(delivery);
      if (++app->answered == app->count) {
        printf("%d accepted, then settled by the sender\n", app->answered);
        pn_connection_close(app->connection);
      }
      break;
    }
    default:
      break;
  }
}

/* receive-second: accepts every even message and releases the others, and waits until the broker has settled with the same. */
static void receive_second(struct app *app, pn_event_t *event) {
  if (pn_event_type(event) == PN_SESSION_INIT) open_receiver(app, "receive-second", PN_RCV_SECOND, app->count);
  if (pn_event_type(event) != PN_DELIVERY) return;
  pn_delivery_t *delivery = pn_event_delivery(event);
  if (pn_delivery_readable(delivery)) {
    if (taken(delivery)) pn_delivery_update(delivery, app->received++ % 2 ? PN_RELEASED : PN_ACCEPTED);
  } else if (pn_delivery_settled(delivery)) {
    if (pn_delivery_remote_state(delivery) != pn_delivery_local_state(delivery)) {
      fail("the broker settled with %d", (int)pn_delivery_remote_state(delivery));
    }
    pn_delivery_settle(delivery);
    if (++app->settled == app->count) {
      printf("%d settled by the broker\n", app->settled);
      pn_connection_close(app->connection);
    }
  }
}

/* reattach: takes so many messages and settles none, detaches its link, attaches it again, and takes and accepts them all. */
static void reattach(struct app *app, pn_event_t *event) {
  switch (pn_event_type(event)) {
    case PN_SESSION_INIT:
      open_receiver(app, "reattach", PN_RCV_FIRST, app->count);
      break;

    case PN_DELIVERY: {
      pn_delivery_t *delivery = pn_event_delivery(event);
      if (!pn_delivery_readable(delivery) || !taken(delivery)) break;
      app->received++;
      if (app->reattached) {
        pn_delivery_update(delivery, PN_ACCEPTED);
        pn_delivery_settle(delivery);
      }
      if (app->received == app->count) pn_link_detach(app->link);
      if (app->received == 2 * app->count) {
        printf("%d, and again\n", app->count);
        pn_connection_close(app->connection);
      }
      break;
    }
    case PN_LINK_REMOTE_DETACH:
      check(pn_link_remote_condition(app->link));
      pn_link_free(app->link);
      app->reattached = true;
      open_receiver(app, "reattach", PN_RCV_FIRST, app->count);
      break;

    default:
      break;
  }
}

/* window: takes so many messages over a session that has room for a single frame of 512 bytes. */
static void window(struct app *app, pn_event_t *event) {
  if (pn_event_type(event) == PN_SESSION_INIT) open_receiver(app, "window", PN_RCV_FIRST, app->count);
  if (pn_event_type(event) != PN_DELIVERY) return;
  pn_delivery_t *delivery = pn_event_delivery(event);
  if (!pn_delivery_readable(delivery) || !taken(delivery)) return;
  pn_delivery_update(delivery, PN_ACCEPTED);
  pn_delivery_settle(delivery);
  if (++app->received == app->count) {
    printf("%d received\n", app->received);
    pn_connection_close(app->connection);
  }
}

static const struct {
  const char *name;
  void (*handle)(struct app *, pn_event_t *);
} programs[] = {{"aborts", aborts}, {"send-second", send_second}, {"receive-second", receive_second}, {"reattach", reattach},
                {"window", window}};

/* What all programs do; false when the connection has ended. */
static bool common(struct app *app, pn_event_t *event, bool tiny) {
  switch (pn_event_type(event)) {
    case PN_CONNECTION_INIT:
      pn_connection_set_container(app->connection, app->address);
      pn_connection_open(app->connection);
      app->session = pn_session(app->connection);
      if (tiny) pn_session_set_incoming_capacity(app->session, FRAME);
      pn_session_open(app->session);
      break;
    case PN_TRANSPORT_CLOSED:
      check(pn_transport_condition(pn_event_transport(event)));
      break;
    case PN_CONNECTION_REMOTE_CLOSE:
      check(pn_connection_remote_condition(app->connection));
      pn_connection_close(app->connection);
      break;
    case PN_SESSION_REMOTE_CLOSE:
      check(pn_session_remote_condition(pn_event_session(event)));
      break;
    case PN_LINK_REMOTE_CLOSE:
      check(pn_link_remote_condition(pn_event_link(event)));
      break;
    case PN_PROACTOR_INACTIVE:
      return false;
    default:
      break;
  }
  return true;
}

int main(int argc, char **argv) {
  if (argc != 6) fail("usage: %s PROGRAM HOST PORT ADDRESS COUNT", argv[0]);
  void (*handle)(struct app *, pn_event_t *) = NULL;
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    if (!strcmp(argv[1], programs[i].name)) handle = programs[i].handle;
  }
  if (!handle) fail("there is no program %s", argv[1]);

  struct app app = {.address = argv[4], .count = atoi(argv[5])};
  char addr[PN_MAX_ADDR];
  pn_transport_t *transport = pn_transport();
  if (handle == window) pn_transport_set_max_frame(transport, FRAME);
  app.proactor = pn_proactor();
  app.connection = pn_connection();
  pn_proactor_addr(addr, sizeof addr, argv[2], argv[3]);
  pn_proactor_connect2(app.proactor, app.connection, transport, addr);
  for (bool open = true; open;) {
    pn_event_batch_t *batch = pn_proactor_wait(app.proactor);
    for (pn_event_t *event; open && (event = pn_event_batch_next(batch));) {
      open = common(&app, event, handle == window);
      handle(&app, event);
    }
    pn_proactor_done(app.proactor, batch);
  }
  pn_proactor_free(app.proactor);
  return 0;
}
