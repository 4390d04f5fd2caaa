/** The protocol. */
package io.millrace.amqp;
