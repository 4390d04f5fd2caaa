package io.millrace.main;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGTERM, SIGINT and SIGHUP: the first one stops the broker in good order, a second one ends the process at once.
 *
 * <p>A shutdown hook would not do: the JVM ignores a second signal while hooks run, and its exit code would be that of the
 * signal. {@code sun.misc.Signal} is reached by reflection because the compiler warns of it and no setting but turning
 * off all warnings of its kind helps; where it is not there, the hook of last resort stops the broker.
 */
final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    /** What a shell adds to the number of the signal that ended a process. */
    private static final int KILLED = 128;

    private final Runnable stop;
    private final AtomicBoolean stopping = new AtomicBoolean();

    private Signals(Runnable stop) {
        this.stop = stop;
    }

    /** From now on signals go to {@code stop}, which runs on a thread of its own. */
    static void handle(Runnable stop) {
        Signals signals = new Signals(stop);
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            signals.install(name);
        }
    }

    private void install(String name) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            received(name, (Integer)
                                    signal.getMethod("getNumber").invoke(arguments[0]));
                            return null;
                        }
                        return method.invoke(this, arguments);
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
        } catch (InvocationTargetException e) {
            // The JVM or the system keeps this signal for itself (HUP on Windows, all with -Xrs): its own way will do.
            LOG.debug("SIG{} cannot be handled: {}", name, e.getCause().toString());
        } catch (ReflectiveOperationException e) {
            LOG.debug("signals cannot be handled here: {}", e.toString());
            Runtime.getRuntime().addShutdownHook(new Thread(stop, "millrace-hook"));
        }
    }

    private void received(String name, int number) {
        if (stopping.compareAndSet(false, true)) {
            LOG.info("SIG{}: stopping; once more to stop at once", name);
            new Thread(stop, "millrace-stop").start();
        } else {
            // What was accepted is on disk, and a store that was not closed opens as well: nothing is lost.
            LOG.warn("SIG{} again: stopping at once", name);
            Runtime.getRuntime().halt(KILLED + number);
        }
    }
}
