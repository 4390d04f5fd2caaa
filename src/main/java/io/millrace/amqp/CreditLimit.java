package io.millrace.amqp;

/**
 * How much of the credit that a link wants to give its peer it may give now, for the sake of a {@linkplain SendingRate rate}.
 * Owned by its link, which tells it what becomes of that credit.
 */
interface CreditLimit {
    /** All of it, always. */
    CreditLimit NONE = new CreditLimit() {
        @Override
        public int grant(int wanted, boolean empty) {
            return wanted;
        }

        @Override
        public void arrived(int bytes) {}

        @Override
        public void used() {}

        @Override
        public void unused(int credit) {}

        @Override
        public void closed(int credit) {}
    };

    /**
     * Gives credit, or none: then the link is asked again as soon as it is its turn.
     *
     * @param wanted how much more than it has, at least 1
     * @param empty whether its peer can send nothing now
     */
    int grant(int wanted, boolean empty);

    /** Bytes of a message are here. */
    void arrived(int bytes);

    /** A message is here as a whole, or what will ever come of it. */
    void used();

    /** The peer does not want so much of its credit. */
    void unused(int credit);

    /** The link is gone, and with it what credit it had. */
    void closed(int credit);
}
