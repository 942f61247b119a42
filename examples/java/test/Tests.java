import io.github.fishapicredit.Credit;
import io.github.fishapicredit.FishClient;
import io.github.fishapicredit.FishException;
import io.github.fishapicredit.FishOptions;
import io.github.fishapicredit.Level;
import io.github.fishapicredit.Query;
import io.github.fishapicredit.Status;
import io.github.fishapicredit.WatchOptions;
import java.io.File;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The package's tests: `java -cp build Tests` runs all, and says how many. tests/languages.rs does so. */
final class Tests {
    static final String WALLET = """
            {"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00",\
            "created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z",\
            "has_phone_sha256":true,"has_free_credit":null}""";
    /** Longer than any test takes; what ends sooner was ended. */
    static final Duration MINUTE = Duration.ofMinutes(1);

    interface Body {
        void run(Server server) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            Endings.main(arguments);
            return;
        }
        List<Object[]> all = List.of(
                test("the credit has every field", Tests::everyField),
                test("money is exact", Tests::money),
                test("the request is what was asked for", Tests::requests),
                test("the document is as sent", Tests::json),
                test("errors have all fields", Tests::errors),
                test("what is refused is said in Java's names", Tests::refusals),
                test("the deadline holds", Tests::deadline),
                test("an interrupt cancels a call", Tests::interrupt),
                test("a future that is cancelled or times out ends its call", Tests::futures),
                test("close ends the calls in flight", Tests::close),
                test("many threads share a client", Tests::threads),
                test("virtual threads are not pinned", Tests::virtualThreads),
                test("a watch tells each change", Tests::watch),
                test("a watch ends with its client, and with its close", Tests::watchEnds),
                test("a thousand calls leave nothing behind", Tests::leaks),
                test("clients and watches that are forgotten are freed", Tests::forgotten),
                test("the process ends at once during a call", Tests::endings));
        int failed = 0;
        for (var one : all) {
            try (var server = new Server()) {
                ((Body) one[1]).run(server);
                System.out.println("ok      " + one[0]);
            } catch (Throwable failure) {
                failed++;
                System.out.println("FAILED  " + one[0]);
                failure.printStackTrace(System.out);
            }
        }
        System.out.println((all.size() - failed) + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    private static Object[] test(String name, Body body) {
        return new Object[] {name, body};
    }

    static void equal(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    static void check(boolean holds, Object what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static <T extends Throwable> T thrown(Class<T> kind, Body body) throws Exception {
        try {
            body.run(null);
        } catch (Throwable failure) {
            if (kind.isInstance(failure)) {
                return kind.cast(failure);
            }
            throw failure;
        }
        throw new AssertionError("no " + kind.getSimpleName());
    }

    static FishOptions options(Server server) {
        return new FishOptions().apiKey("sk-test").baseUrl(server.url()).timeout(MINUTE).maxRetries(0);
    }

    private static void everyField(Server server) throws Exception {
        server.answer = request -> Server.answer(200, "x-fish-trace-id: trace-1\r\n", WALLET);
        try (var client = new FishClient(options(server))) {
            var credit = client.apiCredit();
            equal(credit.id(), "w1");
            equal(credit.userId(), "u1");
            equal(credit.credit(), new BigDecimal("12.345678"));
            equal(credit.creditMicros(), 12_345_678L);
            equal(credit.creditMicrosExact(), true);
            equal(credit.cumulativeTopUp(), new BigDecimal("100.00"));
            equal(credit.cumulativeTopUpMicros(), 100_000_000L);
            equal(credit.createdAtText(), "2026-01-02T03:04:05Z");
            equal(credit.createdAt(), Instant.parse("2026-01-02T03:04:05Z"));
            equal(credit.updatedAtText(), "2026-02-03T04:05:06.789012Z");
            equal(credit.updatedAt(), Instant.parse("2026-02-03T04:05:06.789012Z"));
            equal(credit.requestId(), "trace-1");
            equal(credit.hasPhone(), true);
            equal(credit.hasFreeCredit(), null);
            equal(client.apiCreditAsync(Query.OWN).get().id(), "w1");
        }
        check(!FishClient.version().isEmpty(), "a version");
    }

    private static void money(Server server) throws Exception {
        record Row(String text, String credit, long micros, boolean exact) {}
        for (var row : List.of(
                new Row("\"0.000000\"", "0.000000", 0, true),
                new Row("\"-0.0000001\"", "-0.0000001", -1, false),
                new Row("\"12345678901234567890.12345678901234567890\"",
                        "12345678901234567890.12345678901234567890", Long.MAX_VALUE, false),
                new Row("1e2", "1e2", 100_000_000, true),
                new Row("0.1", "0.1", 100_000, true))) {
            var credit = Credit.parse(WALLET.replace("\"12.345678\"", row.text).replace("\"100.00\"", "null"));
            equal(credit.credit(), new BigDecimal(row.credit));
            equal(credit.creditMicros(), row.micros);
            equal(credit.creditMicrosExact(), row.exact);
            equal(credit.cumulativeTopUp(), null);
            equal(credit.cumulativeTopUpMicros(), null);
        }
        var year0 = Credit.parse(WALLET.replace("2026-01-02", "0000-01-02").replace("2026-02-03", "soon"));
        equal(year0.createdAt(), Instant.parse("0000-01-02T03:04:05Z"));
        equal(year0.updatedAt(), null);
    }

    private static void requests(Server server) throws Exception {
        server.answer = request -> Server.answer(200, "", WALLET);
        try (var client = new FishClient(options(server).userAgent("studio/2.1"))) {
            client.apiCredit(Query.OWN.withUserId("Jörg/2").withTeamId("a&b").withCheckFreeCredit(true));
        }
        var request = server.requests.getFirst();
        check(request.startsWith(
                "GET /wallet/J%C3%B6rg%2F2/api-credit?check_free_credit=true&team_id=a%26b HTTP/1.1\r\n"), request);
        check(request.contains("\r\nauthorization: Bearer sk-test\r\n"), request);
        check(request.contains("studio/2.1 fish-api-credit/"), request);
    }

    private static void json(Server server) throws Exception {
        server.answer = request -> Server.answer(200, "", WALLET);
        try (var client = new FishClient(options(server))) {
            var document = client.apiCreditJson(Query.OWN);
            equal(document, WALLET);
            equal(Credit.parse(document), client.apiCredit());
        }
        equal(thrown(FishException.class, none -> Credit.parse("{}")).status(), Status.BAD_RESPONSE);
    }

    private static void errors(Server server) throws Exception {
        var body = "[{\"loc\":[\"query\",\"check_free_credit\"],\"type\":\"bool_parsing\",\"msg\":\"no bool\","
                + "\"ctx\":{\"a\":1},\"in\":\"query\"}]";
        try (var client = new FishClient(options(server))) {
            server.answer = request -> Server.answer(422, "x-fish-trace-id: t2\r\n", body);
            var invalid = thrown(FishException.class, none -> client.apiCredit());
            equal(invalid.status(), Status.VALIDATION_FAILED);
            equal(invalid.httpStatus(), 422);
            equal(invalid.attempts(), 1);
            equal(invalid.requestId(), "t2");
            equal(invalid.body(), body);
            equal(invalid.retryable(), false);
            equal(invalid.retryAfter(), null);
            equal(invalid.fieldErrors().size(), 1);
            var field = invalid.fieldErrors().getFirst();
            equal(field.location(), "query.check_free_credit");
            equal(field.source(), "query");
            equal(field.type(), "bool_parsing");
            equal(field.message(), "no bool");
            equal(field.context(), "{\"a\":1}");
            check(invalid.getMessage().contains("fieldErrors"), invalid.getMessage());
            check(invalid.getMessage().endsWith(" (FISH_VALIDATION_FAILED)"), invalid.getMessage());

            server.answer = request -> Server.answer(429, "Retry-After: 7\r\n",
                    "{\"status\":429,\"message\":\"slow\",\"reason\":\"rate\"}");
            var limited = thrown(FishException.class, none -> client.apiCreditJson(Query.OWN));
            equal(limited.status(), Status.RATE_LIMITED);
            equal(limited.statusCode(), Status.RATE_LIMITED.code());
            equal(limited.retryAfter(), Duration.ofSeconds(7));
            equal(limited.retryable(), true);
            equal(limited.apiMessage(), "slow");
            equal(limited.apiReason(), "rate");

            server.answer = request -> Server.answer(401, "", "");
            var later = thrown(ExecutionException.class, none -> client.apiCreditAsync(Query.OWN).get());
            equal(((FishException) later.getCause()).status(), Status.UNAUTHORIZED);
            equal(((FishException) later.getCause()).body(), null);
        }
        server.close();
        try (var client = new FishClient(options(server))) {
            var failed = thrown(FishException.class, none -> client.apiCredit());
            equal(failed.status(), Status.CONNECT_FAILED);
            equal(failed.httpStatus(), 0);
        }
    }

    private static void refusals(Server server) throws Exception {
        record Row(FishOptions options, String says) {}
        for (var row : List.of(
                new Row(new FishOptions().apiKey("a\0b"), "apiKey contains a NUL"),
                new Row(new FishOptions().apiKey("\ud800"), "apiKey contains a lone surrogate"),
                new Row(new FishOptions().apiKey("k").timeout(Duration.ZERO), "timeout is not above zero"),
                new Row(new FishOptions().apiKey("k").maxRetries(-1), "maxRetries is out of range"),
                new Row(new FishOptions().apiKey("k").baseUrl("ftp://x"), "baseUrl "),
                new Row(new FishOptions().apiKey("k").caFile("/nowhere"), "caFile "))) {
            var refused = thrown(FishException.class, none -> new FishClient(row.options));
            equal(refused.status(), Status.INVALID_ARGUMENT);
            check(refused.getMessage().contains(row.says) && !refused.getMessage().contains("options."),
                    refused.getMessage());
        }
        try (var client = new FishClient(options(server))) {
            for (var query : List.of(Query.OWN.withUserId(".."), Query.OWN.withTeamId("\0"),
                    Query.OWN.withTimeout(Duration.ofSeconds(-1)))) {
                equal(thrown(FishException.class, none -> client.apiCredit(query)).status(), Status.INVALID_ARGUMENT);
                equal(thrown(FishException.class, none -> client.apiCreditAsync(query)).attempts(), 0);
            }
            for (var options : List.of(new WatchOptions(Duration.ofMillis(999), null, null),
                    new WatchOptions(null, new BigDecimal("-1"), null),
                    new WatchOptions(null, new BigDecimal("5"), new BigDecimal("4.999")))) {
                equal(thrown(FishException.class, none -> client.watch(Query.OWN, options)).status(),
                        Status.INVALID_ARGUMENT);
            }
        }
        equal(server.requests.size(), 0);
        check(!options(server).toString().contains("sk-test"), "the key is not shown");
    }

    private static void deadline(Server server) throws Exception {
        try (var client = new FishClient(options(server))) {
            for (var timeout : List.of(Duration.ofMillis(150), Duration.ofNanos(1))) {
                var begun = System.nanoTime();
                var late = thrown(FishException.class, none -> client.apiCredit(Query.OWN.withTimeout(timeout)));
                equal(late.status(), Status.TIMED_OUT);
                check(System.nanoTime() - begun >= timeout.toNanos(), "not before its time");
            }
        }
    }

    private static void interrupt(Server server) throws Exception {
        try (var client = new FishClient(options(server))) {
            for (var kind : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
                var ended = new CompletableFuture<Boolean>();
                var thread = kind.start(() -> {
                    try {
                        client.apiCredit();
                    } catch (FishException failure) {
                        ended.complete(failure.status() == Status.CANCELLED && Thread.interrupted());
                    }
                });
                arrived(server, 1);
                thread.interrupt();
                equal(ended.get(30, TimeUnit.SECONDS), true);
            }
            nothingIsLeft();
        }
    }

    private static void futures(Server server) throws Exception {
        try (var client = new FishClient(options(server))) {
            var cancelled = client.apiCreditAsync(Query.OWN);
            arrived(server, 1);
            cancelled.cancel(true);
            thrown(CancellationException.class, none -> cancelled.get());
            var late = client.apiCreditAsync(Query.OWN).orTimeout(10, TimeUnit.MILLISECONDS);
            check(thrown(ExecutionException.class, none -> late.get()).getCause() instanceof TimeoutException, late);
            nothingIsLeft();
            server.answer = request -> Server.answer(200, "", WALLET);
            // What depends on a future may wait as long as it likes: other calls go on.
            var before = client.apiCreditAsync(Query.OWN)
                    .thenApply(first -> first.id() + client.apiCreditAsync(Query.OWN).join().id());
            equal(before.get(30, TimeUnit.SECONDS), "w1w1");
        }
    }

    private static void close(Server server) throws Exception {
        var client = new FishClient(options(server));
        var calls = new ArrayList<Future<Credit>>();
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int at = 0; at < 4; at++) {
                calls.add(pool.submit(() -> client.apiCredit()));
                calls.add(client.apiCreditAsync(Query.OWN));
            }
            arrived(server, 8);
            client.close();
            for (var call : calls) {
                var ended = thrown(ExecutionException.class, none -> call.get(30, TimeUnit.SECONDS));
                equal(((FishException) ended.getCause()).status(), Status.CANCELLED);
            }
        }
        client.close();
        thrown(IllegalStateException.class, none -> client.apiCredit());
        thrown(IllegalStateException.class, none -> client.watch(Query.OWN, WatchOptions.DEFAULT));
    }

    private static void threads(Server server) throws Exception {
        server.answer = request -> Server.answer(200, "", WALLET.replace("u1", request.split("/")[2]));
        try (var client = new FishClient(options(server)); var pool = Executors.newFixedThreadPool(8)) {
            var calls = new ArrayList<Future<Credit>>();
            for (int at = 0; at < 200; at++) {
                var query = Query.OWN.withUserId("user" + at);
                calls.add(at % 2 == 0 ? client.apiCreditAsync(query) : pool.submit(() -> client.apiCredit(query)));
            }
            for (int at = 0; at < 200; at++) {
                equal(calls.get(at).get().userId(), "user" + at);
            }
        }
    }

    /** With one carrier, which tests/languages.rs asks for, a pinned thread would keep the others from starting. */
    private static void virtualThreads(Server server) throws Exception {
        equal(System.getProperty("jdk.virtualThreadScheduler.maxPoolSize"), "1");
        var client = new FishClient(options(server));
        var ended = new ArrayList<CompletableFuture<Status>>();
        for (int at = 0; at < 32; at++) {
            var result = new CompletableFuture<Status>();
            ended.add(result);
            Thread.startVirtualThread(() -> {
                try {
                    client.apiCredit();
                } catch (FishException failure) {
                    result.complete(failure.status());
                }
            });
        }
        arrived(server, 32);
        Thread.startVirtualThread(client::close);
        for (var result : ended) {
            equal(result.get(30, TimeUnit.SECONDS), Status.CANCELLED);
        }
    }

    private static void watch(Server server) throws Exception {
        server.answer = request -> switch (server.requests.size()) {
            case 1 -> Server.answer(200, "", WALLET);
            case 2 -> Server.answer(200, "", WALLET.replace("12.345678", "0.5"));
            default -> Server.answer(401, "", "{\"status\":401,\"message\":\"no\"}");
        };
        var options = new WatchOptions(Duration.ofHours(1), new BigDecimal("5"), null);
        try (var client = new FishClient(options(server)); var watch = client.watch(Query.OWN, options)) {
            var states = watch.iterator();
            var first = states.next();
            equal(first.credit().credit(), new BigDecimal("12.345678"));
            equal(first.level(), Level.OK);
            equal(first.status(), Status.OK);
            equal(first.error(), null);
            check(first.nextIn().compareTo(Duration.ofMinutes(50)) > 0, first.nextIn());
            watch.refresh();
            var second = states.next();
            equal(second.credit().credit(), new BigDecimal("0.5"));
            equal(second.level(), Level.LOW);
            watch.refresh();
            var third = states.next();
            equal(third.credit(), second.credit());
            equal(third.status(), Status.UNAUTHORIZED);
            equal(third.error().apiMessage(), "no");
            equal(third.failures(), 1);
            check(third.age() != null && third.changes() == 3, third);
            // Who begins later gets the newest at once, also after another has read it.
            equal(watch.read().changes(), 3L);
            equal(watch.iterator().next().changes(), 3L);
        }
    }

    private static void watchEnds(Server server) throws Exception {
        for (boolean byClient : new boolean[] {true, false}) {
            var client = new FishClient(options(server));
            var watch = client.watch(Query.OWN, WatchOptions.DEFAULT);
            equal(watch.read().status(), Status.PENDING);
            equal(watch.read().credit(), null);
            equal(watch.read().age(), null);
            var ended = new ArrayList<Thread>();
            for (var kind : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
                ended.add(kind.start(() -> {
                    for (var state : watch) {
                        check(false, state);
                    }
                }));
            }
            arrived(server, 1);
            if (byClient) {
                client.close();
            } else {
                watch.close();
                thrown(IllegalStateException.class, none -> watch.read());
                thrown(IllegalStateException.class, none -> watch.refresh());
            }
            for (var thread : ended) {
                check(thread.join(Duration.ofSeconds(30)), "the loop has ended");
            }
            check(!byClient || watch.read().status() == Status.CANCELLED, "it says so");
            watch.close();
            watch.close();
            client.close();
        }
    }

    private static void leaks(Server server) throws Exception {
        server.answer = request -> request.contains("/silent/") ? null : Server.answer(200, "", WALLET);
        int without = ours();
        try (var client = new FishClient(options(server))) {
            Runnable round = () -> {
                client.apiCredit();
                client.apiCreditAsync(Query.OWN).join();
                client.apiCreditAsync(Query.OWN.withUserId("silent")).cancel(true);
                try {
                    client.apiCredit(Query.OWN.withUserId(".."));
                } catch (FishException refused) {
                    // As it should be.
                }
                client.watch(Query.OWN, WatchOptions.DEFAULT).close();
            };
            for (int at = 0; at < 50; at++) {
                round.run();
            }
            nothingIsLeft();
            int before = ours();
            for (int at = 0; at < 250; at++) {
                round.run();
            }
            nothingIsLeft();
            // Up to 16 connections are kept.
            check(ours() <= before + 16, ours() + " descriptors, once " + before);
        }
        awaited("all its descriptors are closed", () -> ours() <= without);
    }

    private static void forgotten(Server server) throws Exception {
        for (int at = 0; at < 8; at++) {
            var client = new FishClient(options(server));
            client.watch(Query.OWN, WatchOptions.DEFAULT);
        }
        arrived(server, 8);
        awaited("all watches have ended", () -> {
            System.gc();
            return threads() == 0;
        });
    }

    private static void endings(Server server) throws Exception {
        for (var name : Endings.ALL.keySet()) {
            var java = new File(System.getProperty("java.home"), "bin/java").getPath();
            var command = new ProcessBuilder(java, "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                    "-XX:-UsePerfData", "-cp",
                    System.getProperty("java.class.path"), "Tests", name, server.url());
            // Java tells on standard error that it has seen this.
            command.environment().remove("JAVA_TOOL_OPTIONS");
            var process = command.redirectErrorStream(true).start();
            boolean began = server.arrived.tryAcquire(30, TimeUnit.SECONDS);
            // It ends now; its call would last a minute.
            process.getOutputStream().close();
            boolean ended = process.waitFor(20, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly();
            }
            var said = new String(process.getInputStream().readAllBytes());
            check(began && ended, name + ": " + (began ? "it did not end" : "no call") + "\n" + said);
            equal(name + ": " + process.exitValue() + said, name + ": " + (name.startsWith("exit") ? 7 : 0));
        }
    }

    private static void arrived(Server server, int requests) throws Exception {
        check(server.arrived.tryAcquire(requests, 30, TimeUnit.SECONDS), "no request arrived");
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    static void awaited(String what, Condition condition) throws Exception {
        for (long until = System.nanoTime() + 30_000_000_000L; !condition.holds(); Thread.sleep(5)) {
            check(System.nanoTime() < until, what);
        }
    }

    /** No call or watch is under way in the library. */
    private static void nothingIsLeft() throws Exception {
        awaited("the library's threads have ended", () -> threads() == 0);
    }

    /** The library's threads, which have names of theirs. */
    private static int threads() throws Exception {
        int found = 0;
        for (var task : Objects.requireNonNullElse(new File("/proc/self/task").list(), new String[0])) {
            try {
                var name = java.nio.file.Files.readString(java.nio.file.Path.of("/proc/self/task/" + task + "/comm"));
                found += name.startsWith("fish-") && !name.startsWith("fish-wait") ? 1 : 0;
            } catch (java.io.IOException ended) {
                // It has ended since.
            }
        }
        return found;
    }

    /** Descriptors that are no files: Java opens and closes those of its classes as it likes. */
    private static int ours() throws Exception {
        int found = 0;
        for (var name : Objects.requireNonNullElse(new File("/proc/self/fd").list(), new String[0])) {
            try {
                var target = java.nio.file.Files.readSymbolicLink(java.nio.file.Path.of("/proc/self/fd/" + name));
                found += target.toString().contains(":") ? 1 : 0;
            } catch (java.io.IOException closed) {
                // It was that of the folder.
            }
        }
        return found;
    }
}
