package io.millrace.amqp;

import io.millrace.loop.Loop;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;

/**
 * A delivery that is kept while its link is suspended, and when it goes on on another: immutable, for that may be on another
 * loop. Its message stays acquired by the link that got it first.
 *
 * @param origin the endpoint of that link
 * @param original what the queue handed out
 * @param tag its delivery-tag
 */
record HeldDelivery(
        SendingEndpoint origin,
        Delivery original,
        int tag,
        Message message,
        int deliveryCount,
        boolean firstAcquirer,
        long expiryMillis)
        implements Delivery {

    HeldDelivery(SendingEndpoint origin, OutgoingDelivery delivery) {
        this(
                origin,
                delivery.delivery(),
                delivery.tag(),
                delivery.message(),
                delivery.deliveryCount(),
                delivery.firstAcquirer(),
                delivery.delivery().expiryMillis());
    }

    /** Whether it came to a link on this loop. */
    boolean isOf(Loop loop) {
        return origin.loop() == loop;
    }

    /** It is done with; the receipt is answered on the loop of the caller. */
    void settle(Loop from, Outcome outcome, Receipt receipt) {
        if (isOf(from)) {
            origin.settle(this, outcome, receipt);
        } else {
            Receipt back = receipt == Receipt.NONE ? receipt : settled -> from.post(() -> receipt.settled(settled));
            origin.loop().post(() -> origin.settle(this, outcome, back));
        }
    }
}
