/**
 * What operators see over HTTP: {@code /livez}, {@code /readyz} and {@code /metrics}. Nothing can be changed here.
 *
 * <p>The {@link io.millrace.http.HttpListener} knows the broker only through {@link io.millrace.http.Probes}. Broker
 * figures are gathered when somebody asks, on the loops that own them, so nothing on the path of a message is shared
 * between threads for the sake of metrics; those of the sockets come from Vert.x through Micrometer.
 */
package io.millrace.http;
