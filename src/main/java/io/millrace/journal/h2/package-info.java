/**
 * The journal on one file of H2's MVStore, with a log of small commits: {@link io.millrace.journal.h2.H2Journal}.
 *
 * <p><b>One flow.</b> Loops leave batches in {@link io.millrace.journal.h2.Handover}. The one {@link
 * io.millrace.journal.h2.JournalThread} takes all of them (up to 4 MiB at a time), drops what undoes itself ({@link
 * io.millrace.journal.h2.Plan}), applies the rest to the maps ({@link io.millrace.journal.h2.Tables}), commits, syncs,
 * and posts one task to each loop. While it syncs, the next batches gather. What nobody waits for, settled deliveries
 * above all, lingers up to 5 ms in {@code Handover}, to be written with the next batch that somebody waits for: with one
 * message at a time that is one commit a message, where it could be two. A message that is stored and removed within one
 * commit is never written. Reads are made by {@link io.millrace.journal.h2.ReaderThread}, inside {@code
 * registerVersionUsage}, without which H2 reuses pages under a cursor.
 *
 * <p><b>Small commits</b> ({@link io.millrace.journal.h2.WriteAheadLog}). A commit of MVStore is two writes at two places,
 * and pages of maps that say where pages are, to keep one message of 1 KiB. So when facts do not come in a stream ({@link
 * io.millrace.journal.h2.Briskness}), up to 32 KiB of facts about single messages are applied to the maps in memory, written as
 * they are to a log of 4 MiB that is all there already, and synced; the maps are committed when the log is full, when more comes,
 * or when nothing comes. What was consumed by then H2 never writes. Facts of nodes and of bodies, sequences set aside, and the
 * first of all after an opening take a commit. Beside commits alone, in one sitting: one message at a time 5,000 to 6,000/s (p50
 * 190 to 161 us, where an append with fdatasync takes 123); transactions of ten, one after the other, 31,400 to 33,900
 * messages/s, for 18 us of CPU each in place of 39; two at a time the same within the noise; eight at a time, where it comes and
 * goes, 150,000 to 136,000. Rejected:
 *
 * <ul>
 *   <li>the log for all small batches, or for those that nothing waits behind: the quicker a commit, the fewer gather for
 *       the next one, and each costs as much. One durable stream fell from 415,000 to 255,000/s;
 *   <li>applying the facts after the answer, with a barrier for the reader: it takes a core just when the client needs it. Eight
 *       transactions at a time 127,000 in place of 146,000/s;
 *   <li>direct I/O, O_DSYNC: 81 to 90 us a write in place of 86 to 91.
 * </ul>
 *
 * <p><b>The maps.</b> {@code messages} (queue, order, sequence), {@code bodies} for messages over 32 KiB in parts of
 * 256 KiB (so that a large one is never copied because a neighbour in its page changes), {@code attempts}, {@code
 * spilled} (cleared on opening), {@code entities}, {@code counters}. Counters are written with the commit that changes
 * them, so a restart counts nothing; how many messages each lane has the map itself knows (two look-ups a queue).
 * Sequences are reserved in blocks of 65,536, so one whose message was never written costs no write and is still not
 * given again; the lane of those that wait for their time takes no part in it. Data types have exact sizes; pages split
 * at 16 KiB.
 *
 * <p><b>What is beside the bytes.</b> Details are in the record of a message, so a message without any is written as in
 * format 1 and costs no look-up in the maps for them, which only its record can call for.
 *
 * <ul>
 *   <li>{@code expiry} (queue, deadline, key) and {@code spilledExpiry} ({@link io.millrace.journal.h2.Deadlines}): two,
 *       as the second is cleared on opening;
 *   <li>{@code parts} (body, part), each with its CRC32C, {@code references} (body) and {@code spilledReferences}
 *       ({@link io.millrace.journal.h2.Bodies}). A body of a fan-out is written with the first message of it that
 *       outlives the commit, if it has 256 bytes or more; fewer are in each message. References are counted once for each
 *       commit, at its end: a fan-out to a thousand queues is one write of a count, and a move does not lose the body.
 *       The seal of a message that shares its bytes covers their CRC32C, which is computed once for all of them;
 *   <li>{@code loose}: bodies that no durable message has. A restart removes those it finds there, step by step, after
 *       the broker answers; there is no scan for them. A body of many parts that loses its last message goes by the same
 *       way, as each part must be read to be removed (8 MiB in a step);
 *   <li>{@code bodyNumbers}: numbers of bodies are reserved as sequences are;
 *   <li>{@code identities} (queue, number) ({@link io.millrace.journal.h2.Identities}), read whole on opening.
 * </ul>
 *
 * <p><b>What H2 does not do</b> ({@link io.millrace.journal.h2.SealedFileStore}). H2 2.5.252 with the reuse of space
 * at once, which a queue needs (the second and third were found by {@code PowerLossTest}, which cuts the power of a
 * disk in memory; the first and fourth by reading H2; the last by measuring):
 *
 * <ul>
 *   <li>checks only the first and last line of a commit, so a torn one is taken for whole: each commit gets a CRC32C;
 *   <li>writes into its header the number of the commit <em>before</em>, and finds the newest by hints that lead over
 *       space that may be in use again: synced commits were lost, and as the header is the same a kill may do it too.
 *       We note the place of each commit ourselves, in two sectors in turn, and show H2 a header that says so. Nobody reads
 *       what else H2 writes there, with each commit once space is used again, so it is not written;
 *   <li>takes a short cut after a clean end which fails if a long dead commit is overwritten, and then goes back to an
 *       old one: it is never shown a clean end;
 *   <li>moves chunks over the newest one before the next is synced: {@code compactMoveChunks} is not used, holes are
 *       filled by writing messages again in ordinary commits;
 *   <li>cuts the file within any commit that saves a hundredth, with two more syncs: done only at rest, or once a
 *       second when there is much to give.
 * </ul>
 *
 * <p>Every commit is synced before the next one is written, so at most the newest is torn, and opening verifies that
 * one only: a broker with 10,000,000 x 1 KiB is ready 0.66 to 0.86 s after it was started anew after a kill, and hands
 * out the first message within 0.12 s more. A batch of messages that are not durable is answered after its commit; its sync is made before the
 * next commit. Not syncing at all was rejected: space reuse would overwrite what the last durable commit needs. A
 * store that closed cleanly and lacks its last commit is refused. One that did not close and whose newest commit is
 * broken goes back by one, as it must after a loss of power; that it was broken by something else cannot be told.
 *
 * <p><b>A full disk.</b> {@code room()} says no below a floor of free space or above a limit of the store. Should a
 * write still find the disk full, a reserve of 16 MiB is given up and the write made again, so that messages can be
 * removed.
 *
 * <p><b>Measured</b> (2 cores shared with other work, load 7, 1 KiB messages, heap 512 MB): fill 3,000,000 at
 * 120,000/s and 4.3 us CPU a message, 468 MB resident; drain at 182,000/s and 3.8 us; the file goes from 3.2 GB to 0.2
 * MB when it is done; with less other work, 1,000,000 go in at 153,000/s and out at 275,000/s, and reopen in 0.16 s.
 * One message at a time 433 to 945/s while the disk gave 330 to 450 raw appends with a sync: the disk is the limit.
 * Commits in space that is in use again are overwrites and sync faster than appends.
 */
package io.millrace.journal.h2;
