// SPDX-License-Identifier: MIT

import java.lang.annotation.*;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.function.Predicate;
import java.util.stream.*;
import org.junit.jupiter.api.extension.*;
import org.opentest4j.*;

/**
 * Injects connection faults from a test's own code, under {@code synfault exec --}: an extension of JUnit 5.
 * {@code @ExtendWith(Synfault.class)} a class, and {@code @Synfault.Faults("api=refuse x2, accept")} a test that takes
 * a Session; or a test takes Sessions, and opens them: {@code sessions.open("api=drop")}.
 * After the test, each session that it has not closed is judged: a failure of the client fails the test, an unknown
 * outcome is an error. What the machine can't do aborts it. Several threads may use a session. It needs Java 16.
 */
@SuppressWarnings({"serial", "unchecked"}) // the protocol says what type a value has
public final class Synfault implements BeforeEachCallback, AfterTestExecutionCallback, ParameterResolver {
    /** What the session of a test is made of: endpoints, "NAME=STEPS", or the text of a scenario. */
    @Retention(RetentionPolicy.RUNTIME)
    public @interface Faults { String[] value() default {}; String text() default ""; }

    /** synfault refused a request, or could not do its work: see the codes of the protocol, and "unjudged". */
    public static final class SynfaultException extends RuntimeException {
        public final String code;
        SynfaultException(String code, String text) {
            super(code + ": " + text);
            this.code = code;
        }
    }

    /** What a session means: its outcome is pass, fail, error or skip; findings say why, as data. */
    public record Judgement(String outcome, List<Map<String, Object>> findings) {
        private Judgement(Map<String, Object> result) {
            this((String) result.get("outcome"), (List<Map<String, Object>>) result.get("findings"));
        }
        @Override public String toString() {
            return outcome + findings.stream().map((one) -> "\n  " + one.get("message")).collect(Collectors.joining());
        }
    }

    /** Opens sessions for one test. */
    public record Sessions(String test, List<Session> all) {
        /** Opens a session of endpoints, "api=refuse x2, accept"; "STEPS" alone is an endpoint called server. */
        public Session open(String... endpoints) {
            return open(Map.of("endpoints", Stream.of(endpoints)
                .map((one) -> one.replaceFirst("^([^=]*)$", "server=$1").split("=", 2))
                .map((one) -> Map.of("name", one[0], "faults", one[1])).toList()));
        }

        /** Opens a session of what the protocol's "open" takes: {"file": …, "scenario": …}, the file absolute. */
        public synchronized Session open(Map<String, Object> arguments) {
            Map<String, Object> named = new LinkedHashMap<>(arguments);
            named.putIfAbsent("name", test);
            all.add(new Session(named));
            return all.get(all.size() - 1);
        }
    }

    /** Endpoints with faults; where a method takes an endpoint, "" is the first one. */
    public static final class Session {
        private final Map<String, String> addresses = new LinkedHashMap<>();
        private final SynfaultConnection control; // of its first request: the session ends with it
        private Object number;
        private Judgement judgement;

        private Session(Map<String, Object> arguments) {
            control = connect("open", arguments);
            try {
                Map<String, Object> opened = control.result();
                number = opened.get("session");
                for (Map<String, Object> one : (List<Map<String, Object>>) opened.get("endpoints"))
                    addresses.put((String) one.get("name"), ((List<String>) one.get("addresses")).get(0));
            } finally {
                if (addresses.isEmpty()) control.close();
            }
        }

        /** Returns "host:port" of an endpoint; without a name, of the first one. */
        public String address(String... endpoint) {
            return addresses.get(endpoint.length > 0 ? endpoint[0] : addresses.keySet().iterator().next());
        }

        /** Returns the address of an endpoint for a socket. */
        public InetSocketAddress socketAddress(String... endpoint) {
            return (InetSocketAddress) SynfaultConnection.socketAddress("tcp:" + address(endpoint));
        }

        private SynfaultConnection connect(String command, Map<String, Object> arguments) {
            Map<String, Object> request = new LinkedHashMap<>(arguments);
            request.values().removeAll(Set.of(0L, "")); // these are the protocol's defaults
            request.put("command", command);
            if (number != null) request.put("session", number);
            return new SynfaultConnection(request);
        }

        private Map<String, Object> ask(String command, Map<String, Object> arguments) {
            try (SynfaultConnection connection = connect(command, arguments)) { // a wait keeps its connection busy
                return connection.result();
            }
        }

        /** Counts the attempts so far at an endpoint; without a name, at all of them. */
        public long attempts(String... endpoint) {
            return ((List<Map<String, Object>>) status().get("endpoints")).stream()
                .filter((one) -> endpoint.length == 0 || endpoint[0].equals(one.get("name")))
                .mapToLong((one) -> (Long) one.get("attempts")).sum();
        }

        /** Replaces the faults of an endpoint; returns the number of the first attempt that gets the new ones. */
        public long faults(String endpoint, String steps) {
            return (Long) ask("faults", Map.of("endpoint", endpoint, "steps", steps)).get("attempt");
        }

        /** Holds an attempt (0: the next one) until it is released, or let through after a limit; returns its number. */
        public long hold(String endpoint, long attempt, Duration limit) {
            Map<String, Object> request = Map.of("endpoint", endpoint, "attempt", attempt, "limit_ns", limit.toNanos());
            return (Long) ask("hold", request).get("attempt");
        }

        /** Decides about an attempt that is held: "accept", "refuse", "drop" or "unreachable KIND". */
        public void release(String endpoint, long attempt, String verdict) {
            ask("release", Map.of("endpoint", endpoint, "attempt", attempt, "verdict", verdict));
        }

        /** Waits until an attempt, from 1, has had an event: "syn", "verdict", "established", "closed", … */
        public void await(String event, String endpoint, long attempt, Duration timeout) {
            ask("wait", Map.of("event", event, "endpoint", endpoint, "attempt", attempt, "timeout_ns", timeout.toNanos()));
        }

        /** Returns the endpoints with their attempts so far and how those ended, as the protocol has it. */
        public Map<String, Object> status() { return ask("status", Map.of()); }

        /**
         * Begins outages with "from command" at an endpoint, "" is all of them, for some time, zero is that of the step.
         * Returns how many connections they ended.
         */
        public long restart(String endpoint, Duration lasts) {
            return (Long) ask("restart", Map.of("endpoint", endpoint, "for_ns", lasts.toNanos())).get("ended");
        }

        /** Returns all events so far, from a sequence number on. */
        public List<Map<String, Object>> events(long since) {
            List<Map<String, Object>> events = new ArrayList<>(), more;
            do {
                more = (List<Map<String, Object>>) ask("events", Map.of("since", since + events.size())).get("events");
                events.addAll(more);
            } while (!more.isEmpty());
            return events;
        }

        /**
         * Calls a function with all events from a sequence number on, as they happen, until the session has ended, or the
         * function returns false. If it is too slow, an event "lost" says how many are missing.
         */
        public void follow(long since, Predicate<Map<String, Object>> each) {
            for (boolean following = false; !following;) {
                try (SynfaultConnection connection = connect("events", Map.of("since", since, "follow", true))) {
                    Map<String, Object> reply = connection.result();
                    for (Map<String, Object> one : (List<Map<String, Object>>) reply.get("events")) if (!each.test(one)) return;
                    since = (Long) reply.get("next");
                    following = (Boolean) reply.get("following");
                    connection.watch(this::status);
                    for (Map<String, Object> event = null; following && (event == null || each.test(event));) {
                        event = connection.event();
                        if (event.get("kind").equals("end")) return;
                    }
                }
            }
        }

        /** Judges what has happened so far. */
        public Judgement check() { return new Judgement(ask("check", Map.of())); }

        /** Ends the session and judges it. A second call returns the same judgement. */
        public synchronized Judgement close() {
            if (judgement == null) try {
                judgement = new Judgement(ask("close", Map.of()));
            } finally {
                control.close();
            }
            return judgement;
        }

        /** Closes the session, and throws unless the client did what was expected: an AssertionFailedError if it failed. */
        public void expectPass() {
            Judgement closed = close();
            if (closed.outcome.equals("fail")) throw new AssertionFailedError(closed.toString());
            if (closed.outcome.equals("error")) throw new SynfaultException("unjudged", closed.toString());
        }

        /** Writes files about a closed session; returns paths: "record", "picture", and "capture" if there is one. */
        public Map<String, Object> artefacts(Path directory) {
            return ask("artefacts", Map.of("directory", directory.toAbsolutePath()));
        }
    }

    private static Sessions sessions(ExtensionContext context) {
        String test = context.getRequiredTestClass().getSimpleName() + "." + context.getDisplayName();
        return context.getStore(ExtensionContext.Namespace.create(Synfault.class))
            .getOrComputeIfAbsent("sessions", (key) -> new Sessions(test, new ArrayList<>()), Sessions.class);
    }

    @Override public void beforeEach(ExtensionContext context) {
        Faults faults = context.getRequiredTestMethod().getAnnotation(Faults.class);
        if (faults != null && faults.text().isEmpty()) sessions(context).open(faults.value());
        else if (faults != null) sessions(context).open(Map.of("source", faults.text()));
    }

    @Override public void afterTestExecution(ExtensionContext context) {
        AssertionFailedError failed = null; // close all, then complain
        SynfaultException unjudged = null;
        for (Session session : sessions(context).all) try {
            if (session.judgement == null) session.expectPass();
        } catch (AssertionFailedError error) {
            failed = error;
        } catch (SynfaultException error) {
            unjudged = error;
        }
        if (failed != null) throw failed;
        if (unjudged != null) throw unjudged;
    }

    @Override public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return List.of(Session.class, Sessions.class).contains(parameter.getParameter().getType());
    }

    @Override public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Sessions own = sessions(context);
        return parameter.getParameter().getType() == Sessions.class ? own : own.all.get(0);
    }
}
