// SPDX-License-Identifier: GPL-2.0-or-later
// As retry.c: java Retry HOST:PORT TRIES BASE FACTOR [TIMEOUT [http]]; with "http" by HttpClient.

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

public class Retry {
    private static void connect(String[] server, int timeoutMs) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(server[0], Integer.parseInt(server[1])), timeoutMs);
        }
    }

    public static void main(String[] words) throws InterruptedException {
        String[] server = words[0].split(":");
        double pause = Double.parseDouble(words[2]);
        int timeoutMs = words.length > 4 ? (int) (Double.parseDouble(words[4]) * 1000) : 0;
        HttpClient client = words.length > 5
                ? HttpClient.newBuilder().connectTimeout(Duration.ofMillis(timeoutMs)).build() : null;

        for (int left = Integer.parseInt(words[1]); left > 0; left--) {
            try {
                if (client == null)
                    connect(server, timeoutMs);
                else
                    client.send(HttpRequest.newBuilder(URI.create("http://" + words[0] + "/")).build(),
                            HttpResponse.BodyHandlers.ofString());
                System.exit(0);
            } catch (IOException error) {
                System.err.println(error);
            }
            if (left > 1)
                Thread.sleep((long) (pause * 1000));
            pause *= Double.parseDouble(words[3]);
        }
        System.exit(1);
    }
}
