// SPDX-License-Identifier: MIT

import java.io.*;
import java.net.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.*;
import java.util.stream.*;
import org.opentest4j.TestAbortedException;

/** A connection to synfault, for one request: see the protocol. Synfault.java needs it. */
@SuppressWarnings("unchecked") // the protocol says what type a value has
final class SynfaultConnection implements AutoCloseable {
    /** How long to wait for a reply, in addition to what is waited for. */
    private static final long PATIENCE_NS = patience(System.getenv().getOrDefault("SYNFAULT_PATIENCE", ""));

    private final SocketChannel channel;
    private final BufferedReader lines;
    private volatile CompletableFuture<Void> limit; // when it completes, the connection is closed

    private static long patience(String text) {
        double seconds = 0;
        try { seconds = Double.parseDouble(text); } catch (NumberFormatException error) { } // it is not set
        return (long) (1e9 * (seconds >= 0.001 ? Math.min(seconds, 86400) : 60));
    }

    /** Sends a request. */
    SynfaultConnection(Map<String, Object> request) {
        String path = System.getenv("SYNFAULT_CONTROL"), token = System.getenv().getOrDefault("SYNFAULT_TOKEN", "");
        if (path == null) throw new TestAbortedException("no synfault is at hand; run the tests under `synfault exec --`");
        boolean tcp = path.startsWith("tcp:");
        if (tcp && token.isEmpty()) throw new Synfault.SynfaultException("denied", "SYNFAULT_TOKEN is not set");
        String both = json(Map.of("command", "hello", "token", token)) + "\n" + json(request) + "\n";
        try {
            channel = tcp ? SocketChannel.open() : SocketChannel.open(StandardProtocolFamily.UNIX);
            lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            waitFor((Long) request.getOrDefault("timeout_ns", 0L));
        } catch (IOException error) {
            throw new Synfault.SynfaultException("ended", "there is no socket: " + error.getMessage());
        }
        try {
            channel.connect(socketAddress(path));
            Channels.newOutputStream(channel).write(both.getBytes(StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw ended(error);
        }
    }

    /** Lets the connection end if it does not answer within some time and what is waited for. */
    private void waitFor(long nanos) {
        limit = new CompletableFuture<Void>().completeOnTimeout(null, PATIENCE_NS + nanos, TimeUnit.NANOSECONDS);
        limit.thenRun(this::close);
    }

    private Synfault.SynfaultException ended(Exception error) {
        boolean late = limit.isDone();
        close();
        return new Synfault.SynfaultException("ended", late ? "synfault does not answer" : "synfault has ended: " + error.getMessage());
    }

    /** Returns the result of the request. */
    Map<String, Object> result() {
        Map<String, Object> reply = next();
        if (reply.get("error") == null) reply = next();
        limit.cancel(false);
        if (!(reply.get("error") instanceof Map<?, ?> error)) return (Map<String, Object>) reply.get("result");
        close();
        String text = error.get("text") + (error.containsKey("remedy") ? "; " + error.get("remedy") : "");
        if (error.get("code").equals("unavailable")) throw new TestAbortedException(text);
        throw new Synfault.SynfaultException((String) error.get("code"), text);
    }

    /** From now on, asks after each such time whether synfault still answers; if not, the connection ends. */
    void watch(Runnable question) {
        limit = new CompletableFuture<Void>().completeOnTimeout(null, PATIENCE_NS, TimeUnit.NANOSECONDS);
        if (!channel.isOpen()) limit.cancel(false); // close() came while the question was under way
        limit.thenRunAsync(question).thenRun(() -> watch(question)).exceptionally((error) -> {
            close();
            return null;
        });
    }

    /** Returns the next event that a session reports. */
    Map<String, Object> event() { return (Map<String, Object>) next().get("event"); }

    /** Returns the next line. */
    private Map<String, Object> next() {
        try {
            String line = lines.readLine();
            if (line == null) throw new EOFException("no reply");
            Iterator<String> tokens = TOKEN.matcher(line).results().map(MatchResult::group).iterator();
            return (Map<String, Object>) value(tokens, tokens.next());
        } catch (IOException | NoSuchElementException error) { // it may have died in the middle of a line
            throw ended(error);
        }
    }

    @Override public void close() {
        try { channel.close(); } catch (IOException error) { } // nothing more to do
        limit.cancel(false); // after that: see watch()
    }

    /** Makes an address of a path or tcp:HOST:PORT. */
    static SocketAddress socketAddress(String text) {
        if (!text.startsWith("tcp:")) return UnixDomainSocketAddress.of(text);
        URI address = URI.create(text.replaceFirst(":", "://"));
        return new InetSocketAddress(address.getHost(), address.getPort());
    }

    // Commas, colons and white space are between tokens.
    private static final Pattern TOKEN = Pattern.compile("[{}\\[\\]]|\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|[^\\s{}\\[\\],:\"]+");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u(....)|(.))");

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
            return ESCAPE.matcher(token.substring(1, token.length() - 1)).replaceAll((one) -> Matcher.quoteReplacement(
                one.group(1) != null ? "" + (char) Integer.parseInt(one.group(1), 16)
                : one.group().equals("\\/") ? "/" : one.group().translateEscapes()));
        case 't': case 'f': return Boolean.valueOf(token);
        case 'n': return null;
        default: return token.matches("-?\\d+") ? (Object) Long.valueOf(token) : Double.valueOf(token);
        }
    }

    private static String json(Object value) {
        if (value instanceof Number || value instanceof Boolean) return value.toString();
        if (value instanceof Map<?, ?> map) return map.keySet().stream()
            .map((key) -> json(key) + ":" + json(map.get(key))).collect(Collectors.joining(",", "{", "}"));
        if (value instanceof List<?> list) return list.stream().map(SynfaultConnection::json).collect(Collectors.joining(",", "[", "]"));
        return value.toString().chars().mapToObj((c) -> c < ' ' || c == '"' || c == '\\'
            ? String.format("\\u%04x", c) : "" + (char) c).collect(Collectors.joining("", "\"", "\""));
    }
}
