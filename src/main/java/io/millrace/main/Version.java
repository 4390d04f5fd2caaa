package io.millrace.main;

import java.util.Optional;

/** Which Millrace this is. */
final class Version {
    /** As the jar says; classes that were just compiled say nothing. */
    static final String NUMBER = Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
            .orElse("0.1.0");

    private Version() {}
}
