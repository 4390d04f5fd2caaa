package io.millrace.simulation;

import java.util.Random;

/** What all clients of a simulation share. */
record Scene(Plan plan, Ledger ledger, Random random) {}
