// SPDX-License-Identifier: GPL-2.0-or-later
// As waits.c, in the ways of Java: java Waits.java SECONDS SLACK-MS HOST:PORT.

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

public class Waits {
    private static long seconds, slackMs;
    private static InetSocketAddress server;

    private static boolean sleeps() throws Exception {
        Thread.sleep(seconds * 1000);
        return true;
    }

    private static boolean waitsOnAnObject() throws Exception {
        Object object = new Object();

        synchronized (object) {
            object.wait(seconds * 1000);
        }
        return true;
    }

    private static boolean parks() {
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(seconds));
        return true;
    }

    private static boolean parksUntil() {
        LockSupport.parkUntil(System.currentTimeMillis() + seconds * 1000);
        return true;
    }

    private static boolean waitsForACondition() throws Exception {
        ReentrantLock lock = new ReentrantLock();

        lock.lock();
        return !lock.newCondition().await(seconds, TimeUnit.SECONDS);
    }

    private static boolean waitsForALock() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        CountDownLatch held = new CountDownLatch(1), tried = new CountDownLatch(1);

        new Thread(() -> {
            lock.lock();
            held.countDown();
            try {
                tried.await();
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }).start();
        held.await();
        boolean late = !lock.tryLock(seconds, TimeUnit.SECONDS);
        tried.countDown();
        return late;
    }

    private static boolean waitsForAFuture() throws Exception {
        try {
            new CompletableFuture<Void>().get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException error) {
            return true;
        }
        return false;
    }

    private static boolean schedules() throws Exception {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(1);
        boolean right = executor.schedule(() -> 7, seconds, TimeUnit.SECONDS).get() == 7;

        executor.shutdown();
        return right;
    }

    private static boolean waitsForATimer() throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        Timer timer = new Timer();

        timer.schedule(new TimerTask() {
            @Override
            public void run() {
                done.countDown();
            }
        }, seconds * 1000);
        done.await();
        timer.cancel();
        return true;
    }

    private static boolean connects() throws Exception {
        try (Socket socket = new Socket()) {
            socket.connect(server, (int) seconds * 1000);
        } catch (SocketTimeoutException error) {
            return true;
        }
        return false;
    }

    private static boolean reads() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket socket = new Socket(listener.getInetAddress(), listener.getLocalPort());
                Socket peer = listener.accept()) {
            socket.setSoTimeout((int) seconds * 1000);
            socket.getInputStream().read();
        } catch (SocketTimeoutException error) {
            return true;
        }
        return false;
    }

    private static boolean connectsByHttp() throws Exception {
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(seconds)).build();
        URI uri = URI.create("http://" + server.getHostString() + ":" + server.getPort() + "/");

        try {
            client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        } catch (HttpConnectTimeoutException error) {
            return true;
        }
        return false;
    }

    private static boolean waitsForAChild() throws Exception {
        return new ProcessBuilder("sleep", Long.toString(seconds)).start().waitFor() == 0;
    }

    private static boolean waitsForAChildInVain() throws Exception {
        Process child = new ProcessBuilder("sleep", Long.toString(100 * seconds)).start();
        boolean late = !child.waitFor(seconds, TimeUnit.SECONDS);

        child.destroy();
        return late;
    }

    private static boolean tell(String name, Callable<Boolean> wait) throws Exception {
        long monotonic = System.nanoTime(), realtime = System.currentTimeMillis();
        boolean right = wait.call();

        monotonic = (System.nanoTime() - monotonic) / 1_000_000;
        realtime = System.currentTimeMillis() - realtime;
        for (long tookMs : new long[] {monotonic, realtime})
            right = right && tookMs > seconds * 1000 - 3 && tookMs < seconds * 1000 + slackMs;
        System.out.printf("%-36s %d ms %d ms %s%n", name, monotonic, realtime, right ? "right" : "WRONG");
        return right;
    }

    public static void main(String[] words) throws Exception {
        Map<String, Callable<Boolean>> waits = new LinkedHashMap<>();
        String[] parts = words[2].split(":");
        boolean right = true;

        seconds = Long.parseLong(words[0]);
        slackMs = Long.parseLong(words[1]);
        server = new InetSocketAddress(parts[0], Integer.parseInt(parts[1]));
        waits.put("Thread.sleep", Waits::sleeps);
        waits.put("Object.wait", Waits::waitsOnAnObject);
        waits.put("LockSupport.parkNanos", Waits::parks);
        waits.put("LockSupport.parkUntil", Waits::parksUntil);
        waits.put("Condition.await", Waits::waitsForACondition);
        waits.put("Lock.tryLock", Waits::waitsForALock);
        waits.put("BlockingQueue.poll", () -> new LinkedBlockingQueue<>().poll(seconds, TimeUnit.SECONDS) == null);
        waits.put("Future.get", Waits::waitsForAFuture);
        waits.put("ScheduledExecutorService", Waits::schedules);
        waits.put("Timer", Waits::waitsForATimer);
        waits.put("Socket.connect", Waits::connects);
        waits.put("Socket.setSoTimeout", Waits::reads);
        waits.put("HttpClient.connectTimeout", Waits::connectsByHttp);
        waits.put("a child that sleeps", Waits::waitsForAChild);
        waits.put("Process.waitFor with a timeout", Waits::waitsForAChildInVain);
        for (Map.Entry<String, Callable<Boolean>> wait : waits.entrySet())
            right = tell(wait.getKey(), wait.getValue()) && right;
        System.exit(right ? 0 : 1);
    }
}
