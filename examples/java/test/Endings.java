import io.github.fishapicredit.FishClient;
import io.github.fishapicredit.FishOptions;
import io.github.fishapicredit.Query;
import io.github.fishapicredit.WatchOptions;
import java.util.Map;
import java.util.function.Consumer;

/** Ways to end a program during a call that would last a minute, each in a process of its own. */
final class Endings {
    static final Map<String, Consumer<FishClient>> ALL = Map.of(
            "main returns during a call of a daemon thread", client -> {
                Thread.ofPlatform().daemon().start(client::apiCredit);
                go(false);
            },
            "main returns during an asynchronous call", client -> {
                client.apiCreditAsync(Query.OWN);
                go(false);
            },
            "main returns while a virtual thread follows a watch", client -> {
                var watch = client.watch(Query.OWN, WatchOptions.DEFAULT);
                Thread.startVirtualThread(() -> watch.forEach(state -> {}));
                go(false);
            },
            "exit during a call of a thread that is no daemon", client -> {
                Thread.ofPlatform().start(client::apiCredit);
                go(true);
            },
            "exit during a call, and a hook closes", client -> {
                Thread.ofPlatform().start(client::apiCredit);
                Runtime.getRuntime().addShutdownHook(new Thread(client::close));
                go(true);
            });

    static void main(String[] arguments) {
        var client = new FishClient(new FishOptions().apiKey("k").baseUrl(arguments[1]).timeout(Tests.MINUTE));
        // What its threads say of a closed client is no concern here.
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {});
        ALL.get(arguments[0]).accept(client);
    }

    /** When the test says so. */
    private static void go(boolean exit) {
        try {
            System.in.read();
        } catch (java.io.IOException none) {
            throw new AssertionError(none);
        }
        if (exit) {
            System.exit(7);
        }
    }
}
