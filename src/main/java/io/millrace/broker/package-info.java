/**
 * The broker behind the protocol: which addresses there are, which queue each one is, and which loop owns it.
 */
package io.millrace.broker;
