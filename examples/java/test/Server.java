import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/** A scripted server on loopback. It answers each request as it is told to, or not at all. */
final class Server implements AutoCloseable {
    private final ServerSocket listener;
    private final Thread accepting;
    private final List<Socket> connections = Collections.synchronizedList(new ArrayList<>());
    final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    /** A permit for each request that arrived. */
    final Semaphore arrived = new Semaphore(0);
    /** The whole answer to a request's head; null: none ever comes. */
    volatile Function<String, String> answer = request -> null;

    Server() throws IOException {
        listener = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        accepting = Thread.ofPlatform().daemon().start(this::accept);
    }

    static String answer(int status, String headers, String body) {
        int length = body.getBytes(StandardCharsets.UTF_8).length;
        return "HTTP/1.1 " + status + " x\r\nContent-Length: " + length + "\r\n" + headers + "\r\n" + body;
    }

    String url() {
        return "http://127.0.0.1:" + listener.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                var connection = listener.accept();
                connections.add(connection);
                Thread.ofPlatform().daemon().start(() -> serve(connection));
            }
        } catch (IOException closed) {
            // That is the end.
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            var in = connection.getInputStream();
            var head = new StringBuilder();
            for (int octet = in.read(); octet >= 0; octet = in.read()) {
                head.append((char) octet);
                if (head.length() >= 4 && head.substring(head.length() - 4).equals("\r\n\r\n")) {
                    requests.add(head.toString());
                    var answered = answer.apply(head.toString());
                    arrived.release();
                    if (answered != null) {
                        connection.getOutputStream().write(answered.getBytes(StandardCharsets.UTF_8));
                    }
                    head.setLength(0);
                }
            }
        } catch (IOException gone) {
            // So is the client.
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        listener.close();
        // Only then does nothing listen any more.
        accepting.join();
        for (var connection : List.copyOf(connections)) {
            connection.close();
        }
    }
}
