/** The journal on one file of H2's MVStore. */
package io.millrace.journal.h2;
