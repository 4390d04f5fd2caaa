package io.millrace.amqp;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;

/** What the transfers of a delivery must have in common, and with the attach of their link (AMQP 1.0, part 2, section 2.7.5). */
final class TransferRules {
    private TransferRules() {}

    /** Why a delivery is not settled as the attach said; empty when it is. */
    static Optional<Condition> disagreement(Attach asked, boolean settled, int deliveryId) {
        if (settled && asked.getTarget() instanceof Coordinator) {
            return Optional.of(new Condition(
                    Condition.NOT_ALLOWED,
                    "a message to the coordinator came settled, so that its answer could not be told"));
        }
        SenderSettleMode agreed = asked.getSndSettleMode();
        if (agreed == SenderSettleMode.MIXED || settled == (agreed == SenderSettleMode.SETTLED)) {
            return Optional.empty();
        }
        return Optional.of(new Condition(
                Condition.INVALID_FIELD,
                "delivery " + Integer.toUnsignedString(deliveryId) + " came " + (settled ? "settled" : "unsettled")
                        + ", but the snd-settle-mode of link \"" + asked.getName() + "\" is "
                        + agreed.name().toLowerCase(Locale.ROOT)));
    }

    /** All transfers of a delivery are of one delivery-id, delivery-tag and message-format. */
    static void checkContinuation(Transfer transfer, int deliveryId, Binary tag, int format, String link) {
        if (transfer.getDeliveryId() != null && transfer.getDeliveryId().intValue() != deliveryId) {
            throw invalid(
                    transfer,
                    deliveryId,
                    link,
                    "began before delivery " + Integer.toUnsignedString(deliveryId) + " is complete");
        }
        if (transfer.getDeliveryTag() != null && !transfer.getDeliveryTag().equals(tag)) {
            throw invalid(transfer, deliveryId, link, "changes its delivery-tag from one transfer to the next");
        }
        if (transfer.getMessageFormat() != null && transfer.getMessageFormat().intValue() != format) {
            throw invalid(transfer, deliveryId, link, "changes its message-format from one transfer to the next");
        }
    }

    static ProtocolViolation invalid(Transfer transfer, int deliveryId, String link, String what) {
        Object id = transfer.getDeliveryId() == null ? Integer.toUnsignedString(deliveryId) : transfer.getDeliveryId();
        return ProtocolViolation.ofSession(
                Condition.INVALID_FIELD, "delivery " + id + " on link \"" + link + "\" " + what);
    }

    static ProtocolViolation usedTag(Transfer transfer, int deliveryId, String link, int owner) {
        return invalid(
                transfer,
                deliveryId,
                link,
                "has the delivery-tag of delivery " + Integer.toUnsignedString(owner) + ", which is unsettled");
    }

    /** Why a message was rejected. */
    static Condition reason(Outcome.Rejected rejected, String link) {
        return rejected.error()
                .orElseGet(() ->
                        new Condition(Condition.INTERNAL_ERROR, "a message on link \"" + link + "\" was refused"));
    }

    static Condition withoutCredit(int deliveryId, String link) {
        return new Condition(
                Condition.TRANSFER_LIMIT_EXCEEDED,
                "delivery " + Integer.toUnsignedString(deliveryId) + " on link \"" + link + "\" came without credit");
    }

    static Condition notSecond(Transfer transfer, String link) {
        return new Condition(
                Condition.INVALID_FIELD,
                "delivery " + transfer.getDeliveryId() + " wants rcv-settle-mode second; link \"" + link
                        + "\" has first");
    }

    /** The message for an address, which is empty when the link is to none. */
    static Condition tooLarge(long most, String address) {
        return new Condition(
                Condition.MESSAGE_SIZE_EXCEEDED,
                "the message " + (address.isEmpty() ? "" : "for '" + address + "' ") + "is larger than " + most
                        + " bytes, which is connection.max-message-size: send smaller ones, or raise that in the config",
                Map.of("limit", most));
    }

    /** The broker has no memory for the rest of a message that has begun. */
    static Condition noMemory() {
        return new Condition(
                Condition.RESOURCE_LIMIT_EXCEEDED,
                "the message is refused: too many messages are under way for the broker's memory; send it again later, or"
                        + " raise the memory",
                Map.of("reason", "memory-full", "limit", "memory"));
    }
}
