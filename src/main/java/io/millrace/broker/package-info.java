/**
 * The broker behind the protocol: which addresses there are, which queues and topics they are, which loop owns each, and who
 * subscribes to what.
 *
 * <p>An address is a queue or a topic, in one namespace; a capability or the prefix {@code queue://} or {@code topic://} says
 * which one a client means, and one that is the other is refused. {@link io.millrace.broker.Nodes} is what links see; behind it
 * each loop has a {@code Directory}, and the home loop the {@code AddressBook}.
 *
 * <p>Decisions:
 *
 * <ul>
 *   <li>A subscription is a queue of its own, so a slow one has its own backlog, limits and window, and hurts no other. All
 *       topics and subscriptions live on the home loop: what one message becomes is one turn's facts and so one batch of the
 *       journal, and publishers and consumers elsewhere use the proxies that queues have anyway. Subscriptions spread over
 *       loops would need a transaction for each message.
 *   <li>Each topic keeps the list of its subscriptions, wildcards included, and changes it as they come and go. A message
 *       never looks at subscriptions of other topics, and there is nothing to invalidate.
 *   <li>A message for two or more durable subscriptions (or forwarded queues) is stored once, as a body with a number. In
 *       memory all of them share one {@code Message}; each counts its size, so the reckoning is on the safe side.
 *   <li>A queue that is full and rejects makes the message wait in its line, and be refused as a whole when its time is over,
 *       before anyone has it. The routes are walked again when there is room. What the same sender sends after it waits behind
 *       it, even if it goes elsewhere, for a subscription may get both. One that drops its
 *       oldest but has none to drop, because consumers hold them all, goes without the message.
 *   <li>Senders to many queues keep to the pace of the brisk consumers of each: a sender asks the last queue that had no room
 *       after a message of its. A slow subscriber holds a publisher up for an instant, once, until it has caught up.
 *   <li>No subscription: the message is accepted and gone.
 *   <li>Wildcards are for subscribers and forwarding rules: levels are separated by dots, {@code *} is one level, {@code #} any
 *       number. A slash is a character like another. No queue is made with wildcards in its name, for it would take the name from
 *       the subscribers who mean the pattern; one that is there already, and the dead-letter queue of a pattern, work.
 *   <li>A subscription is known by container (none, if it is global), name up to the first bar, and whether it is durable. A
 *       volatile one that is not shared is its link's alone: the same name on another connection is another subscription,
 *       because container-ids are not unique. A durable name is either shared or not; it cannot be both.
 *   <li>Durable means: terminus-durability 1 or 2, and never to expire. Anything else lives as long as its expiry-policy and
 *       timeout say, but not over a restart. A link that is closed, not just detached, ends its subscription at once, unless
 *       other links share it.
 *   <li>Dead messages of subscriptions go to {@code <topic>.dlq}, as the settings of the topic say; those of temporary nodes to
 *       nowhere.
 *   <li>Every address that a forwarding rule speaks of lives on the home loop, so forwarding is in one batch with the send.
 *       Where rules lead to is made at the start. No address is visited twice for one message, and no queue gets it twice.
 *   <li>A temporary node lives as long as the link that made it. Whoever sends to it then is detached with
 *       {@code amqp:resource-deleted}.
 *   <li>What a link asks of the book goes the way of its calls to queues on the home loop, so one that comes back finds that
 *       its predecessor has left.
 * </ul>
 */
package io.millrace.broker;
