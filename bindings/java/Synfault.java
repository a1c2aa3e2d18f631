// SPDX-License-Identifier: MIT

import java.io.*;
import java.lang.annotation.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.regex.*;
import java.util.stream.*;
import org.junit.jupiter.api.extension.*;
import org.opentest4j.*;

/**
 * Injects connection faults from a test's own code, under {@code synfault exec --}: an extension of JUnit 5.
 *
 * <pre>
 * &#64;ExtendWith(Synfault.class)
 * class RetriesTest {
 *     &#64;Test &#64;Synfault.Faults("api=refuse x2, accept")
 *     void retries(Synfault.Session session) { assertEquals(200, client.get(session.address())); }
 *     &#64;Test void several(Synfault.Sessions sessions) { Synfault.Session hole = sessions.open("api=drop"); }
 * }
 * </pre>
 *
 * After the test, each session that it has not closed is judged: a failure of the client fails the test with the
 * findings, an unknown outcome is an error. What the machine can't do aborts the test. Tests may run in parallel, and
 * several threads may use a session. It needs Java 16.
 */
public final class Synfault implements BeforeEachCallback, AfterTestExecutionCallback, ParameterResolver {
    /** What the session of a test is made of: endpoints, "NAME=STEPS", or the text of a scenario. */
    @Retention(RetentionPolicy.RUNTIME)
    public @interface Faults {
        String[] value() default {};
        String text() default "";
    }

    /** synfault refused a request, or could not do its work: see the codes of the protocol, and "unjudged". */
    @SuppressWarnings("serial") public static final class SynfaultException extends RuntimeException {
        public final String code;

        SynfaultException(String code, String text) {
            super(code + ": " + text);
            this.code = code;
        }
    }

    /** What a session means: its outcome is pass, fail, error or skip; findings say why, as data. */
    public record Judgement(String outcome, List<Map<String, Object>> findings) {
        @SuppressWarnings("unchecked") private Judgement(Map<?, ?> result) {
            this((String) result.get("outcome"), (List<Map<String, Object>>) result.get("findings"));
        }
        @Override public String toString() {
            return findings.stream().map((one) -> "\n  " + one.get("message")).collect(Collectors.joining("", outcome, ""));
        }
    }

    /** Opens sessions for one test. */
    public static final class Sessions {
        private final List<Session> all = new ArrayList<>();
        private final ExtensionContext context;

        private Sessions(ExtensionContext context) {
            this.context = context;
        }

        /** Opens a session of endpoints, "api=refuse x2, accept". */
        public Session open(String... endpoints) {
            List<Object> list = new ArrayList<>();
            for (String endpoint : endpoints)
                list.add(Map.of("name", endpoint.split("=")[0], "faults", endpoint.replaceFirst("^[^=]*=?", "")));
            return open(Map.of("endpoints", list));
        }

        /** Opens a session of what the protocol's "open" takes: {"file": …, "scenario": …}, the file absolute. */
        public synchronized Session open(Map<String, Object> arguments) {
            Map<String, Object> named = new LinkedHashMap<>(arguments);
            named.putIfAbsent("name", context.getRequiredTestClass().getSimpleName() + "." + context.getDisplayName());
            all.add(new Session(named));
            return all.get(all.size() - 1);
        }
    }

    /** Endpoints with faults. */
    public static final class Session {
        private final Connection control = new Connection();
        private final Map<String, String> addresses = new LinkedHashMap<>();
        private final Object number;
        private Judgement judgement;

        private Session(Map<String, Object> arguments) {
            try {
                Map<?, ?> opened = control.ask("open", arguments);
                number = opened.get("session");
                for (Map<?, ?> one : endpoints(opened))
                    addresses.put((String) one.get("name"), (String) ((List<?>) one.get("addresses")).get(0));
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
            String address = address(endpoint);
            int colon = address.lastIndexOf(':');
            return new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        }

        private Map<?, ?> ask(String command, Object... pairs) {
            return control.ask(command, arguments(pairs));
        }

        private Map<String, Object> arguments(Object... pairs) {
            Map<String, Object> arguments = new LinkedHashMap<>(Map.of("session", number));
            for (int i = 0; i < pairs.length; i += 2) arguments.put((String) pairs[i], pairs[i + 1]);
            return arguments;
        }
        @SuppressWarnings("unchecked") private static List<Map<?, ?>> endpoints(Map<?, ?> result) {
            return (List<Map<?, ?>>) result.get("endpoints");
        }

        /** Counts the attempts so far at an endpoint; without a name, at all of them. */
        public long attempts(String... endpoint) {
            return endpoints(ask("status")).stream()
                .filter((one) -> endpoint.length == 0 || endpoint[0].equals(one.get("name")))
                .mapToLong((one) -> (Long) one.get("attempts")).sum();
        }

        /** Replaces the faults of an endpoint; returns the number of the first attempt that gets the new ones. */
        public long faults(String endpoint, String steps) {
            return (Long) ask("faults", "endpoint", endpoint, "steps", steps).get("attempt");
        }

        /** Holds the next attempt until it is released, or let through after a limit; returns its number. */
        public long hold(String endpoint, Duration limit) {
            return (Long) ask("hold", "endpoint", endpoint, "limit_ns", limit.toNanos()).get("attempt");
        }

        /** Decides about an attempt that is held: "accept", "refuse", "drop" or "unreachable KIND". */
        public void release(String endpoint, long attempt, String verdict) {
            ask("release", "endpoint", endpoint, "attempt", attempt, "verdict", verdict);
        }

        /** Waits until an attempt, from 1, has had an event: "syn", "verdict", "established", "closed", … */
        public void await(String event, String endpoint, long attempt, Duration timeout) {
            try (Connection own = new Connection()) { // other threads need that of the session
                own.ask("wait", arguments("event", event, "endpoint", endpoint, "attempt", attempt,
                    "timeout_ns", timeout.toNanos()));
            }
        }

        /** Judges what has happened so far. */
        public Judgement check() {
            return new Judgement(ask("check"));
        }

        /** Ends the session and judges it. A second call returns the same judgement. */
        public synchronized Judgement close() {
            if (judgement != null) return judgement;
            try (control) {
                judgement = new Judgement(ask("close"));
            }
            return judgement;
        }
    }

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(Synfault.class);

    private static Sessions sessions(ExtensionContext context) {
        return context.getStore(NAMESPACE).getOrComputeIfAbsent("sessions", (key) -> new Sessions(context), Sessions.class);
    }

    @Override public void beforeEach(ExtensionContext context) {
        Faults faults = context.getRequiredTestMethod().getAnnotation(Faults.class);
        if (faults != null && faults.text().isEmpty()) sessions(context).open(faults.value());
        else if (faults != null) sessions(context).open(Map.of("source", faults.text()));
    }

    @Override public void afterTestExecution(ExtensionContext context) {
        List<Judgement> judgements = new ArrayList<>(); // close all, then complain
        SynfaultException failed = null;
        for (Session session : sessions(context).all) try {
            if (session.judgement == null) judgements.add(session.close());
        } catch (SynfaultException exception) {
            failed = exception;
        }
        for (Judgement judgement : judgements)
            if (judgement.outcome().equals("fail")) throw new AssertionFailedError(judgement.toString());
        for (Judgement judgement : judgements)
            if (judgement.outcome().equals("error")) throw new SynfaultException("unjudged", judgement.toString());
        if (failed != null) throw failed;
    }

    @Override public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return List.of(Session.class, Sessions.class).contains(parameter.getParameter().getType());
    }

    @Override public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Sessions own = sessions(context);
        return parameter.getParameter().getType() == Sessions.class ? own : own.all.get(0);
    }

    /** A connection to the control socket. */
    private static final class Connection implements AutoCloseable {
        private final SocketChannel channel;
        private final BufferedReader lines;

        private Connection() {
            String path = System.getenv("SYNFAULT_CONTROL");
            if (path == null) throw new TestAbortedException("no synfault is at hand; run the tests under `synfault exec --`");
            try {
                channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
            } catch (IOException error) {
                throw new SynfaultException("ended", "synfault does not listen at " + path + ": " + error.getMessage());
            }
            lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        }

        private synchronized Map<?, ?> ask(String command, Map<String, Object> arguments) {
            Map<String, Object> request = new LinkedHashMap<>(arguments);
            request.put("command", command);
            String line = null;
            try {
                ByteBuffer bytes = StandardCharsets.UTF_8.encode(json(request) + "\n");
                while (bytes.hasRemaining()) channel.write(bytes);
                line = lines.readLine();
            } catch (IOException error) { } // as if it had ended without a reply
            if (line == null) throw new SynfaultException("ended", "synfault has ended");
            Iterator<String> tokens = TOKEN.matcher(line).results().map(MatchResult::group).iterator();
            Map<?, ?> reply = (Map<?, ?>) value(tokens, tokens.next()), error = (Map<?, ?>) reply.get("error");
            if (error == null) return (Map<?, ?>) reply.get("result");
            String text = error.get("text") + (error.containsKey("remedy") ? "; " + error.get("remedy") : "");
            if (error.get("code").equals("unavailable")) throw new TestAbortedException(text);
            throw new SynfaultException((String) error.get("code"), text);
        }

        @Override public void close() {
            try (channel) { } catch (IOException error) { } // it is of no more use
        }
    }

    // Commas, colons and white space are between tokens.
    private static final Pattern TOKEN = Pattern.compile("[{}\\[\\]]|\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|[^\\s{}\\[\\],:\"]+");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u(....)|.)");
    private static final Pattern UNSAFE = Pattern.compile("[\"\\\\\\x00-\\x1f]");

    /** Reads a JSON value that begins with a token: a Map, List, String, Long, Double, Boolean or null. */
    private static Object value(Iterator<String> tokens, String token) {
        switch (token.charAt(0)) {
        case '{': case '[':
            List<Object> items = new ArrayList<>();
            for (String one = tokens.next(); !"}]".contains(one); one = tokens.next()) items.add(value(tokens, one));
            if (token.equals("[")) return items;
            Map<String, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < items.size(); i += 2) map.put((String) items.get(i), items.get(i + 1));
            return map;
        case '"':
            return ESCAPE.matcher(token.substring(1, token.length() - 1)).replaceAll((escape) -> {
                int place = "bfnrt".indexOf(escape.group().charAt(1));
                return Matcher.quoteReplacement(String.valueOf(
                    escape.group(1) != null ? (char) Integer.parseInt(escape.group(1), 16)
                    : place >= 0 ? "\b\f\n\r\t".charAt(place) : escape.group().charAt(1)));
            });
        case 't': case 'f': return Boolean.valueOf(token);
        case 'n': return null;
        default: return token.matches("-?\\d+") ? (Object) Long.valueOf(token) : Double.valueOf(token);
        }
    }

    private static String json(Object value) {
        if (value instanceof Number) return value.toString();
        if (value instanceof Map<?, ?> map) return map.keySet().stream()
            .map((key) -> json(key) + ":" + json(map.get(key))).collect(Collectors.joining(",", "{", "}"));
        if (value instanceof List<?> list)
            return list.stream().map(Synfault::json).collect(Collectors.joining(",", "[", "]"));
        return "\"" + UNSAFE.matcher(value.toString()).replaceAll((c) ->
            String.format("\\\\u%04x", (int) c.group().charAt(0))) + "\"";
    }
}
