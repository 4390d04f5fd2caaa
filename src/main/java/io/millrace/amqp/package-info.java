/**
 * The protocol: a connection as bytes in and bytes out, its sessions and links, and nothing of sockets.
 *
 * <p>{@link io.millrace.amqp.AmqpConnection} is what {@code net} sees. Bytes go through {@link
 * io.millrace.amqp.Handshake} (protocol headers, SASL) and then through {@link io.millrace.amqp.BrokerTransport} to {@link
 * io.millrace.amqp.AmqpSession}, {@link io.millrace.amqp.IncomingLink} and {@link io.millrace.amqp.OutgoingLink}. All
 * output meets in {@link io.millrace.amqp.FrameOutput} and leaves once per loop turn.
 *
 * <p>Decisions:
 *
 * <ul>
 *   <li>Proton's codec encodes and decodes; frames, the connection, sessions and links are ours: {@code FrameInput} cuts bytes into
 *       frames, {@code PerformativeDecoder} adds what the codec does not check (a field too many, a role that is none), and
 *       {@code BrokerTransport} takes frames to where they belong. Proton's own engine checks neither handles nor credit nor
 *       message sizes nor delivery-ids (they throw, or do nothing), keeps about 400 bytes and two hash entries per delivery,
 *       walks all pending deliveries twice per flush, answers no echo, does not show the session window, and holds a registry of
 *       types and two buffers of max-frame-size per connection. With that engine a message cost 1.3 us (100 B) and 2.5 us
 *       (1 KiB) with its sockets; here it costs 0.2 and 0.4 us without them ({@code MessagePathBenchmark}, in and out, both
 *       dispositions).
 *   <li>A performative that cannot be decoded, with a mandatory field null among them, ends the connection with
 *       {@code amqp:decode-error}: what was meant for a session or a link is not known. {@code conformance/SPEC.md} has every
 *       rule with its scope.
 *   <li>Transfers and dispositions are encoded by hand: the message goes from its array to the output in one copy, with the
 *       header of the delivery in front. Dispositions of consecutive deliveries with the same state are one frame; one that
 *       waits is written before any other frame, so no order changes.
 *   <li>A transfer has all eleven fields, and open, begin and attach have properties, because some clients count fields.
 *   <li>The incoming session window is wide and renewed long before its end: link credit holds peers back, and credit counts what is
 *       not answered yet, so one link holds at most its window of messages. Where these are large, a connection is not read
 *       while too many of their bytes wait. A session window would do that for each session by itself, but Qpid JMS 2.10 keeps
 *       the last part of a burst that a window cuts off, until its next heartbeat (30 s a message over 4 MiB, measured).
 *   <li>How many bytes a connection may have waiting is what the memory of the loop leaves ({@code HeldBytes}), and 64 KiB at least. A
 *       message that has begun is counted, too, but stops no reading, for its end must be read; only when all of them together have
 *       the whole budget is the rest of such a message refused, because a peer that stops in the middle gives nothing back.
 *   <li>Rates are kept by credit: a link gets no more than there are tokens, which are set aside when credit is given, so nothing
 *       else on a connection waits. Credit that was given is never taken back, for some clients reckon the difference as an
 *       unsigned number; idle links keep theirs, others share what comes, and at least an eighth of a second's worth may always
 *       gather for them. So the largest burst is a second's worth, and an eighth (or a message) for each link that was idle.
 *       Bytes are a guess from the last messages until they are here, and a debt after that. The tokens of a user are on one
 *       loop, connections draw lumps of them; a connection on another loop asks by a posted call.
 *   <li>SASL is done here and not by Proton's layer, because a password is checked asynchronously and peers send their open
 *       before they hear of it. One attempt per connection.
 *   <li>On links to peers, receiver-settle-mode {@code second} is what we do whenever a peer gives an outcome without
 *       settling, whatever was agreed. On links from peers it is what the peer asks for, but {@code first} for coordinators.
 *   <li>A link is resumed if its peer shows that it can: it asks for mode {@code second}, attaches with an unsettled map, or
 *       with a timeout. Deliveries to it then stay acquired, and outcomes told to it are remembered, for the timeout or
 *       30 seconds; a restart forgets them. An attach of that name without a map begins anew: what was delivered counts as
 *       failed. A bare transfer (resume, and no message) counts no credit, for some clients do not count it; one that brings
 *       the message does.
 *   <li>Of deliveries on a link that is never resumed nobody asks whether their tags are unique: answers go by the delivery-id, and
 *       protonj2 1.1 gives the same tag twice when more than 256 are unsettled (its pool has 512, numbered by a byte).
 *   <li>A delivery that is settled without an outcome gets the source's default outcome; if the source has none it is
 *       {@code released}, and the answer to the attach says so.
 *   <li>A pre-settled message that is refused ends its link with the reason: nothing is lost in silence.
 *   <li>A link with a message that is held for want of room gets no credit until that is answered, unless it is anonymous. What
 *       is held does not count against the bytes that a connection may have under way, because what makes room may come on that
 *       very connection. If the connection is lost, or the link may be resumed, what is held is taken back and counts as
 *       released; what came settled waits on, for its sender will not send it again, and so does what a link left behind
 *       that its peer detached in order. A broker that stops forgets what is held: the close of the connection is the answer.
 *   <li>What breaks the rules ends the smallest thing that the specification allows: an unknown handle or a wrong
 *       delivery-id its session, too much credit or size its link, anything below that the connection. Unsettled deliveries
 *       of a connection that we had to end so count as failed attempts; those of one that is closed in order do not.
 *   <li>Filters are known by their descriptors, under any key. The answer has those in force and no others: a selector
 *       everywhere, no-local on subscriptions only, where to begin on queues only. A selector that cannot be parsed refuses
 *       its link, with the position.
 *   <li>An attach without a source asks for the durable subscription that the link's name stands for. Such a link receives
 *       nothing and takes the name from no other; closing it ends the subscription, and is answered when that is durable.
 *   <li>A dynamic node lives as long as its link, whatever lifetime-policy was asked for, and the answer says so.
 * </ul>
 */
package io.millrace.amqp;
