/** Who may log in: users of the config file, salted password hashes, and the SASL mechanisms without their frames. */
package io.millrace.security;
