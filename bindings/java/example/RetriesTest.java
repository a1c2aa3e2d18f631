// SPDX-License-Identifier: MIT

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;

/**
 * An example: the retries of a small client, under {@code synfault exec --}.
 *
 * EXAMPLE_RETRIES is how often the client retries; with less than 2 it is wrong, and tests fail.
 */
@ExtendWith(Synfault.class)
class RetriesTest {
    private static final int RETRIES = Integer.parseInt(System.getenv().getOrDefault("EXAMPLE_RETRIES", "3"));

    private static void connect(InetSocketAddress address, int timeout) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(address, timeout);
        }
    }

    /** The client under test. */
    private static boolean connectWithRetries(InetSocketAddress address) throws InterruptedException {
        for (int attempt = 0; attempt <= RETRIES; attempt++) {
            if (attempt > 0) Thread.sleep(50);
            try {
                connect(address, 1000);
                return true;
            } catch (IOException error) {
                // Once more.
            }
        }
        return false;
    }

    @Test
    @Synfault.Faults("api=refuse x2, accept")
    void refusalsAreRetried(Synfault.Session session) throws Exception {
        assertTrue(connectWithRetries(session.socketAddress()), "the client gave up");
        session.await("established", "api", 3, Duration.ofSeconds(5));
        assertEquals(3, session.attempts("api"));
    }

    @Test
    @Synfault.Faults(text = """
        name: three attempts and no more
        endpoints: {api: {faults: [refuse x2, accept]}}
        expect: {attempts: 3}
        """)
    void scenarioIsJudgedWhenTheTestHasEnded(Synfault.Session session) throws Exception {
        connectWithRetries(session.socketAddress("api"));
    }

    @Test
    @Synfault.Faults("api=refuse x2")
    void faultThatNeverFiredIsAnError(Synfault.Session session) throws Exception {
        connectWithRetries(session.socketAddress());
    }

    @Test
    @Synfault.Faults(text = """
        name: a second attempt follows
        endpoints: {api: {faults: [refuse]}}
        expect: {attempts: 2}
        """)
    void sessionIsJudgedWhereTheTestWantsIt(Synfault.Session session) {
        assertThrows(ConnectException.class, () -> connect(session.socketAddress(), 1000));
        assertThrows(AssertionFailedError.class, session::expectPass);
    }

    @Test
    void sessionsAreSideBySide(Synfault.Sessions sessions) throws Exception {
        Synfault.Session hole = sessions.open("api=drop"), server = sessions.open("api=accept");
        assertThrows(SocketTimeoutException.class, () -> connect(hole.socketAddress(), 200));
        assertTrue(connectWithRetries(server.socketAddress()));
        assertEquals(1, hole.attempts());
        assertEquals("timed-out", assertThrows(Synfault.SynfaultException.class,
            () -> hole.await("established", "api", 1, Duration.ofMillis(10))).code);
        server.expectPass();
    }

    @Test
    @Synfault.Faults("api=refuse")
    void faultsCanBeReplacedAndAttemptsHeld(Synfault.Session session) throws Exception {
        InetSocketAddress api = session.socketAddress();
        assertThrows(ConnectException.class, () -> connect(api, 1000));
        assertEquals(2, session.faults("api", "accept"));
        connect(api, 1000);
        long held = session.hold("api", 0, Duration.ofSeconds(10));
        CompletableFuture<Throwable> ended = CompletableFuture.supplyAsync(() ->
            assertThrows(ConnectException.class, () -> connect(api, 5000)));
        session.await("syn", "api", held, Duration.ofSeconds(5));
        session.release("api", held, "refuse");
        ended.get();
    }

    @Test
    @Synfault.Faults("api=restart 1s from command, accept")
    void outagesBeginAtACommand(Synfault.Session session) throws Exception {
        try (Socket socket = new Socket()) {
            socket.connect(session.socketAddress(), 30000);
            session.await("established", "api", 1, Duration.ofSeconds(30));
            assertEquals(1, session.restart("", Duration.ofMillis(100)));
            Map<String, Object> fault = new HashMap<>();
            session.follow(0, (event) -> { // those so far, then further ones as they happen
                if (event.get("kind").equals("fault")) fault.putAll(event);
                return fault.isEmpty();
            });
            assertEquals("reset", fault.get("fault"));
            assertEquals(fault, session.events((Long) fault.get("seq")).get(0));
            assertThrows(SocketException.class, () -> socket.getInputStream().read());
        }
    }

    @Test
    @Synfault.Faults("api=accept")
    void artefactsAreWrittenAfterTheEnd(Synfault.Session session, @TempDir Path directory) throws Exception {
        assertTrue(connectWithRetries(session.socketAddress()));
        assertEquals("pass", session.close().outcome());
        Map<String, Object> artefacts = session.artefacts(directory);
        for (String what : List.of("record", "picture")) assertTrue(Files.exists(Path.of((String) artefacts.get(what))));
    }

    @Test
    @Synfault.Faults(text = "name: named\nendpoints: {api: {hostname: api.example.test}}\n")
    void whatIsImpossibleHereIsSkipped(Synfault.Session session) throws Exception {
        assertTrue(connectWithRetries(session.socketAddress()));
    }
}
