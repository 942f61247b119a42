// The tests of FishApiCredit.cs, compiled together with it. Without arguments all are run, and the last line says how
// many; tests/languages.rs does so. FISH_ABI names docs/abi.json.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using FishApiCredit;

internal static class Tests {
    private const string Wallet = "{\"_id\":\"w1\",\"user_id\":\"u1\",\"credit\":\"12.345678\"," +
        "\"cumulative_top_up\":\"100.00\",\"created_at\":\"2026-01-02T03:04:05Z\"," +
        "\"updated_at\":\"2026-02-03T04:05:06.789012Z\",\"has_phone_sha256\":true,\"has_free_credit\":null}";
    /// <summary>Longer than any test takes; what ends sooner was ended.</summary>
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static int Main(string[] arguments) {
        if (arguments.Length > 0) return Endings.Run(arguments[0], arguments[1]);
        var all = new Dictionary<string, Action<Server>> {
            { "the structs are laid out as C's", Layouts },
            { "the credit has every field", EveryField },
            { "money is exact", Money },
            { "the request is what was asked for", Requests },
            { "the document is as sent", Json },
            { "errors have all fields", Errors },
            { "what is refused is said in C#'s names", Refusals },
            { "the deadline holds", Deadline },
            { "a cancelled token ends a call", Cancelled },
            { "a continuation may block", Continuations },
            { "Dispose ends the calls in flight", Disposed },
            { "many threads share a client", Threads },
            { "a watch tells each change", Watch },
            { "a watch ends with its client, and with its Dispose", WatchEnds },
            { "a thousand calls leave nothing behind", Leaks },
            { "clients and watches that are forgotten are freed", Forgotten },
            { "the process ends at once during a call", ProcessEnds },
        };
        int failed = 0;
        foreach (var one in all) {
            try {
                using (var server = new Server()) one.Value(server);
                Console.WriteLine("ok      " + one.Key);
            } catch (Exception failure) {
                failed++;
                Console.WriteLine("FAILED  " + one.Key + "\n" + failure);
            }
        }
        Console.WriteLine((all.Count - failed) + " passed, " + failed + " failed");
        return failed == 0 ? 0 : 1;
    }

    private static void Equal<T>(T got, T wanted) {
        if (!EqualityComparer<T>.Default.Equals(got, wanted)) throw new Exception("got " + got + ", wanted " + wanted);
    }

    private static void Check(bool holds, object what) {
        if (!holds) throw new Exception(Convert.ToString(what));
    }

    private static T Thrown<T>(Action body) where T : Exception {
        try {
            body();
        } catch (T failure) {
            return failure;
        }
        throw new Exception("no " + typeof(T).Name);
    }

    /// <summary>Its result, which is long there before the minute is over.</summary>
    private static T Soon<T>(Task<T> task) {
        Check(((IAsyncResult) task).AsyncWaitHandle.WaitOne(30000), "it has ended");
        return task.GetAwaiter().GetResult();
    }

    private static FishClientOptions Options(Server server) {
        return new FishClientOptions { ApiKey = "sk-test", BaseUrl = server.Url, Timeout = Minute, MaxRetries = 0 };
    }

    private static void Layouts(Server server) {
        string structure = null;
        int fields = 0;
        foreach (var line in File.ReadLines(Environment.GetEnvironmentVariable("FISH_ABI"))) {
            var one = Regex.Match(line, "\"name\":\"fish_([a-z_]+)\",\"size\":([0-9]+),\"align\"");
            if (one.Success) {
                structure = string.Concat(one.Groups[1].Value.Split('_').Select(
                    word => char.ToUpperInvariant(word[0]) + word.Substring(1)));
                Equal(Marshal.SizeOf(Type(structure)), int.Parse(one.Groups[2].Value));
            }
            var field = Regex.Match(line, "\"name\":\"([a-z_0-9]+)\",.*\"offset\":([0-9]+)");
            if (!field.Success) continue;
            var name = field.Groups[1].Value;
            Equal((int) Marshal.OffsetOf(Type(structure), name == "reserved" ? "reserved0" : name),
                int.Parse(field.Groups[2].Value));
            fields++;
        }
        Check(fields > 50, fields);
    }

    private static Type Type(string structure) {
        return typeof(Native).GetNestedType(structure, BindingFlags.NonPublic);
    }

    private static void EveryField(Server server) {
        server.Answer = request => Server.Answered(200, "x-fish-trace-id: trace-1\r\n", Wallet);
        using (var client = new FishClient(Options(server))) {
            var credit = client.ApiCredit();
            Equal(credit.Id, "w1");
            Equal(credit.UserId, "u1");
            Equal(credit.CreditText, "12.345678");
            Equal(credit.Credit, 12.345678m);
            Equal(credit.CreditMicros, 12345678);
            Equal(credit.CreditMicrosExact, true);
            Equal(credit.CumulativeTopUpText, "100.00");
            Equal(credit.CumulativeTopUp, 100m);
            Equal(credit.CumulativeTopUpMicros, 100000000);
            Equal(credit.CreatedAtText, "2026-01-02T03:04:05Z");
            Equal(credit.CreatedAt, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
            Equal(credit.UpdatedAtText, "2026-02-03T04:05:06.789012Z");
            Equal(credit.UpdatedAt, new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero).AddTicks(7890120));
            Equal(credit.RequestId, "trace-1");
            Equal(credit.HasPhone, true);
            Equal(credit.HasFreeCredit, null);
            Equal(Soon(client.ApiCreditAsync()).Id, "w1");
        }
        Check(FishClient.Version.Length > 0, "a version");
    }

    private static void Money(Server server) {
        foreach (var row in new[] {
            Tuple.Create("\"0.000000\"", "0.000000", 0m, 0L, true),
            Tuple.Create("\"-0.0000001\"", "-0.0000001", -0.0000001m, -1L, false),
            Tuple.Create("1e2", "1e2", 100m, 100000000L, true),
            Tuple.Create("\"1234567890123456.789012345678\"", "1234567890123456.789012345678",
                1234567890123456.789012345678m, long.MaxValue, false),
            // More than a decimal holds is rounded down, not to the nearest.
            Tuple.Create("\"1.00000199999999999999999999999\"", "1.00000199999999999999999999999", 1.000001m, 1000001L,
                false),
            Tuple.Create("\"-0.00000000000000000000000000000000001\"", "-0.00000000000000000000000000000000001",
                -0.000001m, -1L, false),
            Tuple.Create("\"1000000000000000000000000000000.00\"", "1000000000000000000000000000000.00",
                9223372036854.775807m, long.MaxValue, false),
            Tuple.Create("\"0.1000000000000000000000000000000000000\"", "0.1000000000000000000000000000000000000", 0.1m,
                100000L, true),
        }) {
            var credit = FishCredit.Parse(Wallet.Replace("\"12.345678\"", row.Item1).Replace("\"100.00\"", "null"));
            Equal(credit.CreditText, row.Item2);
            Equal(credit.Credit, row.Item3);
            Equal(credit.CreditMicros, row.Item4);
            Equal(credit.CreditMicrosExact, row.Item5);
            Equal(credit.CumulativeTopUp, null);
            Equal(credit.CumulativeTopUpMicros, null);
        }
        var year0 = FishCredit.Parse(Wallet.Replace("2026-01-02", "0000-01-02").Replace("2026-02-03", "soon"));
        Equal(year0.CreatedAt, null);
        Equal(year0.UpdatedAt, null);
    }

    private static void Requests(Server server) {
        server.Answer = request => Server.Answered(200, "", Wallet);
        var options = Options(server);
        options.UserAgent = "studio/2.1";
        using (var client = new FishClient(options))
            client.ApiCredit(new FishQuery { UserId = "Jörg/2", TeamId = "a&b", CheckFreeCredit = true });
        var sent = server.Requests[0];
        Check(sent.StartsWith(
            "GET /wallet/J%C3%B6rg%2F2/api-credit?check_free_credit=true&team_id=a%26b HTTP/1.1\r\n"), sent);
        Check(sent.Contains("\r\nauthorization: Bearer sk-test\r\n"), sent);
        Check(sent.Contains("studio/2.1 fish-api-credit/"), sent);
    }

    private static void Json(Server server) {
        server.Answer = request => Server.Answered(200, "", Wallet);
        using (var client = new FishClient(Options(server))) {
            var document = client.ApiCreditJson();
            Equal(document, Wallet);
            Equal(Soon(client.ApiCreditJsonAsync()), Wallet);
            Equal(FishCredit.Parse(document).Credit, client.ApiCredit().Credit);
        }
        Equal(Thrown<FishException>(() => FishCredit.Parse("{}")).Status, FishStatus.BadResponse);
    }

    private static void Errors(Server server) {
        var body = "[{\"loc\":[\"query\",\"check_free_credit\"],\"type\":\"bool_parsing\",\"msg\":\"no bool\"," +
            "\"ctx\":{\"a\":1},\"in\":\"query\"},{\"loc\":[\"query\",\"é\"],\"type\":\"t\",\"msg\":\"m\"}]";
        using (var client = new FishClient(Options(server))) {
            server.Answer = request => Server.Answered(422, "x-fish-trace-id: t2\r\n", body);
            var invalid = Thrown<FishException>(() => client.ApiCredit());
            Equal(invalid.Status, FishStatus.ValidationFailed);
            Equal(invalid.HttpStatus, 422);
            Equal(invalid.Attempts, 1);
            Equal(invalid.RequestId, "t2");
            Equal(invalid.Body, body);
            Equal(invalid.Retryable, false);
            Equal(invalid.RetryAfter, null);
            Equal(invalid.FieldErrors.Count, 2);
            var field = invalid.FieldErrors[0];
            Equal(field.Location, "query.check_free_credit");
            Equal(field.Source, "query");
            Equal(field.Type, "bool_parsing");
            Equal(field.Message, "no bool");
            Equal(field.Context, "{\"a\":1}");
            Equal(invalid.FieldErrors[1].Location, "query.é");
            Equal(invalid.FieldErrors[1].Context, null);
            Check(invalid.Message.Contains("FieldErrors"), invalid.Message);
            Check(invalid.Message.EndsWith(" (FISH_VALIDATION_FAILED)"), invalid.Message);

            server.Answer = request => Server.Answered(429, "Retry-After: 7\r\n",
                "{\"status\":429,\"message\":\"slow\",\"reason\":\"rate\"}");
            var limited = Thrown<FishException>(() => client.ApiCreditJson());
            Equal(limited.Status, FishStatus.RateLimited);
            Equal(limited.RetryAfter, TimeSpan.FromSeconds(7));
            Equal(limited.Retryable, true);
            Equal(limited.ApiMessage, "slow");
            Equal(limited.ApiReason, "rate");

            server.Answer = request => Server.Answered(401, "", "");
            var refused = Thrown<FishException>(() => Soon(client.ApiCreditAsync()));
            Equal(refused.Status, FishStatus.Unauthorized);
            Equal(refused.Body, null);
        }
        server.Dispose();
        using (var client = new FishClient(Options(server))) {
            var failed = Thrown<FishException>(() => client.ApiCredit());
            Equal(failed.Status, FishStatus.ConnectFailed);
            Equal(failed.HttpStatus, 0);
        }
    }

    private static void Refusals(Server server) {
        foreach (var row in new[] {
            Tuple.Create(new FishClientOptions { ApiKey = "a\0b" }, "ApiKey contains a NUL"),
            Tuple.Create(new FishClientOptions { ApiKey = "\ud800" }, "ApiKey contains a lone surrogate"),
            Tuple.Create(new FishClientOptions { ApiKey = "k", Timeout = TimeSpan.Zero }, "Timeout is not above zero"),
            Tuple.Create(new FishClientOptions { ApiKey = "k", MaxRetries = -1 }, "MaxRetries is out of range"),
            Tuple.Create(new FishClientOptions { ApiKey = "k", BaseUrl = "ftp://x" }, "BaseUrl "),
            Tuple.Create(new FishClientOptions { ApiKey = "k", CaFile = "/nowhere" }, "CaFile "),
        }) {
            var refused = Thrown<FishException>(() => new FishClient(row.Item1));
            Equal(refused.Status, FishStatus.InvalidArgument);
            Check(refused.Message.Contains(row.Item2) && !refused.Message.Contains("options."), refused.Message);
        }
        using (var client = new FishClient(Options(server))) {
            foreach (var query in new[] {
                new FishQuery { UserId = ".." }, new FishQuery { TeamId = "\0" },
                new FishQuery { Timeout = TimeSpan.FromSeconds(-1) },
            }) {
                var refused = Thrown<FishException>(() => client.ApiCredit(query));
                Equal(refused.Status, FishStatus.InvalidArgument);
                Equal(refused.Attempts, 0);
            }
            foreach (var options in new[] {
                new FishWatchOptions { Interval = TimeSpan.FromMilliseconds(999) }, new FishWatchOptions { Low = -1 },
                new FishWatchOptions { Low = 5, Recovered = 4.999m },
            })
                Equal(Thrown<FishException>(() => client.Watch(null, options)).Status, FishStatus.InvalidArgument);
        }
        Equal(server.Requests.Count, 0);
        Check(!Options(server).ToString().Contains("sk-test"), "the key is not shown");
    }

    private static void Deadline(Server server) {
        using (var client = new FishClient(Options(server)))
            foreach (var timeout in new[] { TimeSpan.FromMilliseconds(150), TimeSpan.FromTicks(1) }) {
                var watch = Stopwatch.StartNew();
                var late = Thrown<FishException>(() => client.ApiCredit(new FishQuery { Timeout = timeout }));
                Equal(late.Status, FishStatus.TimedOut);
                Check(watch.Elapsed >= timeout, "not before its time");
            }
    }

    private static void Cancelled(Server server) {
        using (var client = new FishClient(Options(server)))
        using (var source = new CancellationTokenSource()) {
            var blocking = Task.Run(() => client.ApiCredit(null, source.Token));
            var task = client.ApiCreditAsync(null, source.Token);
            Check(server.Arrived(2), "they arrive");
            source.Cancel();
            Equal(Thrown<OperationCanceledException>(() => Soon(task)).CancellationToken, source.Token);
            Check(task.IsCanceled, "it is so called");
            Thrown<OperationCanceledException>(() => Soon(blocking));
            Thrown<OperationCanceledException>(() => client.ApiCredit(null, source.Token));
            NothingIsLeft();
            Equal(server.Requests.Count, 2);
        }
    }

    private static void Continuations(Server server) {
        server.Answer = request => Server.Answered(200, "", Wallet);
        using (var client = new FishClient(Options(server))) {
            var both = client.ApiCreditAsync().ContinueWith(
                first => first.Result.Id + client.ApiCredit().Id, TaskContinuationOptions.ExecuteSynchronously);
            Equal(Soon(both), "w1w1");
        }
    }

    private static void Disposed(Server server) {
        var client = new FishClient(Options(server));
        var calls = new List<Task<FishCredit>>();
        for (int at = 0; at < 4; at++) {
            calls.Add(Task.Factory.StartNew(() => client.ApiCredit(), TaskCreationOptions.LongRunning));
            calls.Add(client.ApiCreditAsync());
        }
        Check(server.Arrived(8), "they arrive");
        client.Dispose();
        foreach (var call in calls) Equal(Thrown<FishException>(() => Soon(call)).Status, FishStatus.Cancelled);
        client.Dispose();
        Thrown<ObjectDisposedException>(() => client.ApiCredit());
        Thrown<ObjectDisposedException>(() => client.Watch());
    }

    private static void Threads(Server server) {
        server.Answer = request => Server.Answered(200, "", Wallet.Replace("u1", request.Split('/')[2]));
        using (var client = new FishClient(Options(server))) {
            var threads = new List<Task<string>>();
            for (int of = 0; of < 8; of++) {
                var first = of * 25;
                threads.Add(Task.Factory.StartNew(() => {
                    for (int at = first; at < first + 25; at++) {
                        var query = new FishQuery { UserId = "user" + at };
                        Equal((at % 2 == 0 ? client.ApiCredit(query) : Soon(client.ApiCreditAsync(query))).UserId,
                            "user" + at);
                    }
                    return "fine";
                }, TaskCreationOptions.LongRunning));
            }
            foreach (var thread in threads) Equal(Soon(thread), "fine");
        }
    }

    private static void Watch(Server server) {
        server.Answer = request => server.Requests.Count == 1 ? Server.Answered(200, "", Wallet)
            : server.Requests.Count == 2 ? Server.Answered(200, "", Wallet.Replace("12.345678", "0.5"))
            : Server.Answered(401, "", "{\"status\":401,\"message\":\"no\"}");
        var options = new FishWatchOptions { Interval = TimeSpan.FromHours(1), Low = 5 };
        using (var client = new FishClient(Options(server)))
        using (var watch = client.Watch(null, options)) {
            var states = watch.GetEnumerator();
            Check(states.MoveNext(), "a first");
            Equal(states.Current.Credit.Credit, 12.345678m);
            Equal(states.Current.Level, FishLevel.Ok);
            Equal(states.Current.Status, FishStatus.Ok);
            Equal(states.Current.Error, null);
            Check(states.Current.NextIn > TimeSpan.FromMinutes(50), states.Current.NextIn);
            var first = states.Current;
            watch.Refresh();
            var second = Soon(watch.ChangedAsync(first));
            Equal(second.Credit.Credit, 0.5m);
            Equal(second.Level, FishLevel.Low);
            watch.Refresh();
            using (var source = new CancellationTokenSource()) {
                var third = Soon(watch.ChangedAsync(second, source.Token));
                Equal(third.Credit.Credit, 0.5m);
                Equal(third.Status, FishStatus.Unauthorized);
                Equal(third.Error.ApiMessage, "no");
                Equal(third.Failures, 1);
                Check(third.Age != null && third.Changes == 3, third.Changes);
                var none = watch.ChangedAsync(third, source.Token);
                source.Cancel();
                Thrown<OperationCanceledException>(() => Soon(none));
            }
            // Who begins later gets the newest at once, also after another has read it.
            Equal(watch.Read().Changes, 3);
            Equal(Soon(watch.ChangedAsync()).Changes, 3);
        }
    }

    private static void WatchEnds(Server server) {
        foreach (bool byClient in new[] { true, false }) {
            var client = new FishClient(Options(server));
            var watch = client.Watch();
            Equal(watch.Read().Status, FishStatus.Pending);
            Equal(watch.Read().Credit, null);
            Equal(watch.Read().Error, null);
            Equal(watch.Read().Age, null);
            var loop = Task.Factory.StartNew(() => watch.Count(), TaskCreationOptions.LongRunning);
            var changed = watch.ChangedAsync();
            Check(server.Arrived(), "it arrives");
            if (byClient) {
                client.Dispose();
            } else {
                watch.Dispose();
                Thrown<ObjectDisposedException>(() => watch.Read());
                Thrown<ObjectDisposedException>(() => watch.Refresh());
            }
            Equal(Soon(loop), 0);
            Equal(Soon(changed), null);
            Check(!byClient || watch.Read().Status == FishStatus.Cancelled, "it says so");
            watch.Dispose();
            watch.Dispose();
            client.Dispose();
        }
    }

    private static void Leaks(Server server) {
        server.Answer = request => request.Contains("/silent/") ? null : Server.Answered(200, "", Wallet);
        int without = OfTheLibrary();
        using (var client = new FishClient(Options(server))) {
            Action round = () => {
                client.ApiCredit();
                using (var source = new CancellationTokenSource()) {
                    var call = client.ApiCreditAsync(new FishQuery { UserId = "silent" }, source.Token);
                    source.Cancel();
                    Thrown<OperationCanceledException>(() => Soon(call));
                }
                Thrown<FishException>(() => client.ApiCredit(new FishQuery { UserId = ".." }));
                client.Watch().Dispose();
                Soon(client.ApiCreditAsync());
            };
            for (int at = 0; at < 50; at++) round();
            NothingIsLeft();
            int before = OfTheLibrary();
            for (int at = 0; at < 250; at++) round();
            NothingIsLeft();
            // Up to 16 connections are kept, and each has its other end here.
            Check(OfTheLibrary() <= before + 32, OfTheLibrary() + " descriptors, once " + before);
        }
        Awaited("all its descriptors are closed", () => OfTheLibrary() <= without);
    }

    private static void Forgotten(Server server) {
        Check(Forget(server), "they arrive");
        Awaited("all watches have ended", () => {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return LibraryThreads() == 0;
        });
    }

    /// <summary>On a thread that ends: a conservative collector reads the stacks of others.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Forget(Server server) {
        bool arrived = false;
        var thread = new Thread(() => {
            // Not collected before each has begun to read.
            var watches = new object[8];
            for (int at = 0; at < watches.Length; at++) watches[at] = new FishClient(Options(server)).Watch();
            arrived = server.Arrived(watches.Length);
            GC.KeepAlive(watches);
        });
        thread.Start();
        thread.Join();
        return arrived;
    }

    private static void ProcessEnds(Server server) {
        foreach (var name in Endings.All.Keys) {
            string said;
            // Mono can deadlock in its own Exit if a thread wakes at that moment: try again.
            int tries = System.Type.GetType("Mono.Runtime") == null ? 1 : 3;
            while (!EndsAtOnce(server, name, out said))
                Check(--tries > 0, name + ": it did not end; " + said);
        }
    }

    private static bool EndsAtOnce(Server server, string name, out string said) {
        var start = new ProcessStartInfo {
            FileName = Process.GetCurrentProcess().MainModule.FileName,
            Arguments = "\"" + Assembly.GetEntryAssembly().Location + "\" \"" + name + "\" " + server.Url,
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using (var process = Process.Start(start)) {
            bool began = server.Arrived();
            // It ends now; its call would last a minute.
            process.StandardInput.Close();
            bool ended = process.WaitForExit(20000);
            if (!ended) process.Kill();
            said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            Check(began, name + ": no call; " + said);
            if (ended) Equal(name + ": " + process.ExitCode + said, name + ": 7");
            return ended;
        }
    }

    private static void Awaited(string what, Func<bool> holds) {
        for (var watch = Stopwatch.StartNew(); !holds(); Thread.Sleep(5))
            Check(watch.Elapsed < TimeSpan.FromSeconds(30), what);
    }

    /// <summary>No call or watch is under way in the library.</summary>
    private static void NothingIsLeft() {
        Awaited("the library's threads have ended", () => LibraryThreads() == 0);
    }

    /// <summary>The library's threads, which have names of theirs.</summary>
    private static int LibraryThreads() {
        return Directory.Exists("/proc/self/task") ? Directory.GetDirectories("/proc/self/task").Count(task => {
            try {
                var name = File.ReadAllText(task + "/comm");
                return name.StartsWith("fish-call") || name.StartsWith("fish-watch");
            } catch (IOException) {
                return false; // It has ended since.
            }
        }) : 0;
    }

    [DllImport("libc")]
    private static extern IntPtr readlink(string path, byte[] buffer, UIntPtr size);

    /// <summary>Descriptors that are no files: the runtime opens and closes those as it likes.</summary>
    private static int OfTheLibrary() {
        return Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Count(path => {
            var target = new byte[256];
            int length = (int) readlink(path, target, new UIntPtr(256));
            return length > 0 && System.Text.Encoding.UTF8.GetString(target, 0, length).Contains(":[");
        }) : 0;
    }

    /// <summary>Ways to end a program during a call that would last a minute. Each exits with 7.</summary>
    private static class Endings {
        internal static readonly Dictionary<string, Action<FishClient>> All = new Dictionary<string, Action<FishClient>> {
            { "Main returns during a call of a background thread", client => {
                new Thread(() => client.ApiCredit()) { IsBackground = true }.Start();
                Console.In.Read();
            } },
            { "Main returns during an asynchronous call", client => {
                client.ApiCreditAsync();
                Console.In.Read();
            } },
            { "Main returns while a background thread follows a watch", client => {
                var watch = client.Watch();
                new Thread(() => watch.Count()) { IsBackground = true }.Start();
                Console.In.Read();
            } },
            { "exit during a call of a thread in the foreground", client => {
                new Thread(() => client.ApiCredit()).Start();
                Console.In.Read();
                Environment.Exit(7);
            } },
            { "exit during a call, and a handler disposes", client => {
                new Thread(() => {
                    try {
                        client.ApiCredit();
                    } catch (FishException) {
                        // It is cancelled.
                    }
                }).Start();
                AppDomain.CurrentDomain.ProcessExit += (sender, arguments) => client.Dispose();
                Console.In.Read();
                Environment.Exit(7);
            } },
        };

        internal static int Run(string name, string url) {
            All[name](new FishClient(new FishClientOptions { ApiKey = "k", BaseUrl = url, Timeout = Minute }));
            return 7;
        }
    }
}
