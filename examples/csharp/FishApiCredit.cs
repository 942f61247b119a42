// Read a Fish Audio account's API credit: libfish_api_credit by P/Invoke. Copy this file into a project; besides the
// library it needs nothing else. It is C# 7, for .NET, .NET Framework 4.7.1 and Mono.
//
//     using (var client = new FishApiCredit.FishClient())      // the key is in FISH_API_KEY
//         Console.WriteLine(client.ApiCredit().Credit);
//
// SPDX-License-Identifier: MIT OR Apache-2.0

// No nullable annotations: C# 7 does not have them.
#pragma warning disable 8600, 8601, 8602, 8603, 8604, 8618, 8622, 8625

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace FishApiCredit {
    // ---- How a call ended ------------------------------------------------------------------------------------------

    // Generated from src/ffi: the statuses and levels.
    /// <summary>How a call ended. A newer library may have statuses that are not in this enum.</summary>
    public enum FishStatus {
        /// <summary>Success.</summary>
        Ok = 0,
        /// <summary>Caller: an argument or option is invalid; nothing was sent. The message names it.</summary>
        InvalidArgument = 1,
        /// <summary>Caller: no ApiKey and no FISH_API_KEY in the environment.</summary>
        MissingApiKey = 2,
        /// <summary>Caller: the client was disposed.</summary>
        Cancelled = 3,
        /// <summary>Caller: there is no result yet. Not a failure.</summary>
        Pending = 4,
        /// <summary>Transport: the host name could not be resolved. Check BaseUrl and DNS.</summary>
        ResolveFailed = 20,
        /// <summary>
        /// Transport: no connection could be made to any of the host's addresses. Check the network and
        /// firewalls.
        /// </summary>
        ConnectFailed = 21,
        /// <summary>
        /// Transport: the TLS connection failed. The message says why. In a company network, try SystemRoots
        /// or CaFile.
        /// </summary>
        TlsFailed = 22,
        /// <summary>
        /// Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
        /// ProxyUrl or the proxy variables.
        /// </summary>
        ProxyFailed = 23,
        /// <summary>Transport: the timeout or connect timeout passed. Try later, or allow more time.</summary>
        TimedOut = 24,
        /// <summary>Transport: the connection ended before the whole response had arrived. Try later.</summary>
        ConnectionLost = 25,
        /// <summary>Response: 401. The API key is wrong.</summary>
        Unauthorized = 40,
        /// <summary>Response: 402. The account needs a top-up.</summary>
        PaymentRequired = 41,
        /// <summary>Response: 403. The key may not read this wallet.</summary>
        Forbidden = 42,
        /// <summary>Response: 404. There is no such user or team, or BaseUrl is wrong.</summary>
        NotFound = 43,
        /// <summary>Response: 400 or 422. See FishException.FieldErrors.</summary>
        ValidationFailed = 44,
        /// <summary>Response: 429. Wait for FishException.RetryAfter, and ask less often.</summary>
        RateLimited = 45,
        /// <summary>Response: 500 to 599. Try later.</summary>
        ServerError = 46,
        /// <summary>
        /// Response: any other HTTP status, including redirects, which are never followed. Check BaseUrl.
        /// </summary>
        UnexpectedStatus = 47,
        /// <summary>
        /// Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check
        /// BaseUrl.
        /// </summary>
        BadResponse = 48,
        /// <summary>
        /// Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check BaseUrl.
        /// </summary>
        ResponseTooLarge = 49,
        /// <summary>
        /// Library: a bug in this library, caught before it reached the caller. Please report the message.
        /// </summary>
        InternalError = 90,
    }

    /// <summary>How much credit there is, told from its amount and a watch's options.</summary>
    public enum FishLevel {
        /// <summary>Nothing has been read yet.</summary>
        Unknown = 0,
        /// <summary>Enough.</summary>
        Ok = 1,
        /// <summary>Below Low, or still below Recovered after a low or empty credit.</summary>
        Low = 2,
        /// <summary>At or below zero; without Low also while still below Recovered.</summary>
        Empty = 3,
    }
    // End of the generated part.

    /// <summary>
    /// Any failure of a call. <see cref="Status"/> is its kind; the message is one sentence that says what failed and
    /// what to do, without secrets.
    /// </summary>
    public sealed class FishException : Exception {
        internal FishException(FishStatus status, string message) : base(message + " (" + Name(status) + ")") {
            Status = status;
            FieldErrors = new FishFieldError[0];
        }

        private FishException(ref Native.Error filled)
            : this((FishStatus) filled.status, InCSharp(Text.Taken(filled.message))) {
            HttpStatus = filled.http_status;
            Attempts = checked((int) Math.Min(filled.attempts, int.MaxValue));
            if (filled.retry_after_ms != 0) RetryAfter = TimeSpan.FromMilliseconds(filled.retry_after_ms);
            Retryable = filled.retryable != 0;
            ApiMessage = Text.Taken(filled.api_message);
            ApiReason = Text.Taken(filled.api_reason);
            RequestId = Text.Taken(filled.request_id);
            Body = Text.Taken(filled.body);
            var rows = new FishFieldError[(int) filled.field_error_count];
            for (int at = 0; at < rows.Length; at++) {
                var place = new IntPtr(filled.field_errors.ToInt64() + at * Marshal.SizeOf(typeof(Native.FieldError)));
                rows[at] = new FishFieldError((Native.FieldError) Marshal.PtrToStructure(place, typeof(Native.FieldError)));
            }
            FieldErrors = rows;
        }

        /// <summary>The kind of failure. A newer library may have statuses that are not in the enum.</summary>
        public FishStatus Status { get; private set; }

        /// <summary>The HTTP status of the last response. 0: none arrived.</summary>
        public int HttpStatus { get; private set; }

        /// <summary>Requests tried, including retries and failed connections. 0: nothing was sent.</summary>
        public int Attempts { get; private set; }

        /// <summary>How long the server asks to wait. null: not sent.</summary>
        public TimeSpan? RetryAfter { get; private set; }

        /// <summary>Whether the same call may succeed later.</summary>
        public bool Retryable { get; private set; }

        /// <summary>The server's own message. null: there is none.</summary>
        public string ApiMessage { get; private set; }

        /// <summary>Its machine-readable reason. null: there is none.</summary>
        public string ApiReason { get; private set; }

        /// <summary>Its id for this request, to quote to its support. null: not sent.</summary>
        public string RequestId { get; private set; }

        /// <summary>The start of the error body. null: it is empty.</summary>
        public string Body { get; private set; }

        /// <summary>The problems that a 422 lists.</summary>
        public IReadOnlyList<FishFieldError> FieldErrors { get; private set; }

        /// <summary>Copies what the library filled in, and frees that.</summary>
        internal static FishException Take(ref Native.Error filled) {
            try {
                return new FishException(ref filled);
            } finally {
                Native.fish_error_free(ref filled);
            }
        }

        internal static FishException Invalid(string message) {
            return new FishException(FishStatus.InvalidArgument, message);
        }

        private static string Name(FishStatus status) {
            // This file's own checks come before the library is loaded.
            return status == FishStatus.InvalidArgument
                ? "FISH_INVALID_ARGUMENT" : Text.Taken(Native.fish_status_name((int) status));
        }

        // Not within quotes: those are around the server's words.
        private static readonly Regex Names = new Regex(
            "(?<![\\w\"])(?:options\\.|query\\.)?(" + string.Join("|", Native.Names.Keys) + ")(?!\\w)");

        /// <summary>Replaces the C names in the library's message: "options.ca_file" becomes CaFile.</summary>
        private static string InCSharp(string message) {
            return Names.Replace(message, found => Native.Names[found.Groups[1].Value]);
        }
    }

    /// <summary>One problem that the server found in the request.</summary>
    public sealed class FishFieldError {
        // Generated from src/ffi: the fields of fish_field_error.
        /// <summary>The field, such as "query.check_free_credit": the parts of "loc" joined by dots.</summary>
        public string Location { get; private set; }

        /// <summary>"in": "path", "query", "header", "cookie" or "body". null if not sent.</summary>
        public string Source { get; private set; }

        /// <summary>The kind of error, such as "bool_parsing".</summary>
        public string Type { get; private set; }

        /// <summary>The server's description.</summary>
        public string Message { get; private set; }

        /// <summary>"ctx" as text. null if not sent.</summary>
        public string Context { get; private set; }
        // End of the generated part.

        internal FishFieldError(Native.FieldError row) {
            // Generated from src/ffi: how each field of a row is copied.
            Location = Text.Taken(row.location);
            Source = Text.Taken(row.source);
            Type = Text.Taken(row.type);
            Message = Text.Taken(row.message);
            Context = Text.Taken(row.context);
            // End of the generated part.
        }
    }

    // ---- What comes back -------------------------------------------------------------------------------------------

    /// <summary>
    /// An account's API credit, which programs spend; not the platform credit of a plan.
    /// </summary>
    public sealed class FishCredit {
        // Generated from src/ffi: the fields of fish_api_credit.
        /// <summary>The wallet's id ("_id").</summary>
        public string Id { get; private set; }

        /// <summary>The account's id.</summary>
        public string UserId { get; private set; }

        /// <summary>
        /// The balance as exact decimal text, as sent, presumably in US dollars. May be negative.
        /// </summary>
        public string CreditText { get; private set; }

        /// <summary>
        /// CreditText as a number. One of more than 28 digits is rounded down to whole micros, as
        /// CreditMicros.
        /// </summary>
        public decimal Credit { get; private set; }

        /// <summary>The total ever paid in, as decimal text. null if the server did not send it.</summary>
        public string CumulativeTopUpText { get; private set; }

        /// <summary>
        /// CumulativeTopUpText as a number. One of more than 28 digits is rounded down to whole micros, as
        /// CumulativeTopUpMicros.
        /// </summary>
        public decimal? CumulativeTopUp { get; private set; }

        /// <summary>When the wallet was created, as sent (RFC 3339).</summary>
        public string CreatedAtText { get; private set; }

        /// <summary>When the wallet last changed, as sent (RFC 3339).</summary>
        public string UpdatedAtText { get; private set; }

        /// <summary>
        /// The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. null if
        /// the server did not send one, or after Parse.
        /// </summary>
        public string RequestId { get; private set; }

        /// <summary>The balance x 1,000,000, rounded down (never overstated), saturating.</summary>
        public long CreditMicros { get; private set; }

        /// <summary>CumulativeTopUp x 1,000,000, likewise. null if the server did not send it.</summary>
        public long? CumulativeTopUpMicros { get; private set; }

        /// <summary>When the wallet was created. null: the text is no RFC 3339 time.</summary>
        public DateTimeOffset? CreatedAt { get; private set; }

        /// <summary>When the wallet last changed. null: the text is no RFC 3339 time.</summary>
        public DateTimeOffset? UpdatedAt { get; private set; }

        /// <summary>False if CreditMicros was rounded or saturated. CreditText is always exact.</summary>
        public bool CreditMicrosExact { get; private set; }

        /// <summary>Whether the account has a phone number. null: absent or null.</summary>
        public bool? HasPhone { get; private set; }

        /// <summary>Whether free credit is left. null: absent or null, as it is without CheckFreeCredit.</summary>
        public bool? HasFreeCredit { get; private set; }
        // End of the generated part.

        internal FishCredit(ref Native.ApiCredit filled) {
            // Generated from src/ffi: how each field of the credit is copied.
            Id = Text.Taken(filled.id);
            UserId = Text.Taken(filled.user_id);
            CreditText = Text.Taken(filled.credit);
            Credit = Number(CreditText, filled.credit_micros).Value;
            CumulativeTopUpText = Text.Taken(filled.cumulative_top_up);
            CumulativeTopUp = Number(CumulativeTopUpText, filled.cumulative_top_up_micros);
            CreatedAtText = Text.Taken(filled.created_at);
            UpdatedAtText = Text.Taken(filled.updated_at);
            RequestId = Text.Taken(filled.request_id);
            CreditMicros = filled.credit_micros;
            CumulativeTopUpMicros = filled.cumulative_top_up == IntPtr.Zero ? (long?) null : filled.cumulative_top_up_micros;
            CreatedAt = Time(filled.created_at_unix_us);
            UpdatedAt = Time(filled.updated_at_unix_us);
            CreditMicrosExact = filled.credit_micros_exact != 0;
            HasPhone = Answer(filled.has_phone_sha256);
            HasFreeCredit = Answer(filled.has_free_credit);
            // End of the generated part.
        }

        /// <summary>
        /// Decodes a document saved from <see cref="FishClient.ApiCreditJson"/>. Does not use the network.
        /// </summary>
        public static FishCredit Parse(string json) {
            if (json == null) throw new ArgumentNullException("json");
            Native.Check();
            var document = Encoding.UTF8.GetBytes(json);
            Native.ApiCredit filled;
            Native.Error failure;
            var length = new UIntPtr((uint) document.Length);
            if (Native.fish_api_credit_from_json(document, length, out filled, out failure) != Native.OK)
                throw FishException.Take(ref failure);
            return Take(ref filled);
        }

        /// <summary>Copies what the library filled in, and frees that.</summary>
        internal static FishCredit Take(ref Native.ApiCredit filled) {
            try {
                return new FishCredit(ref filled);
            } finally {
                Native.fish_api_credit_free(ref filled);
            }
        }

        private static DateTimeOffset? Time(long micros) {
            var epoch = new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);
            // RFC 3339 has a year 0, which this type does not.
            long first = (DateTimeOffset.MinValue - epoch).Ticks / 10, last = (DateTimeOffset.MaxValue - epoch).Ticks / 10;
            return micros < first || micros > last ? (DateTimeOffset?) null : epoch.AddTicks(micros * 10);
        }

        private static bool? Answer(int tristate) {
            return tristate == Native.UNKNOWN ? (bool?) null : tristate == Native.TRUE;
        }

        /// <summary>
        /// Exact if a decimal can hold it, else the whole micros: decimal.Parse would round to the nearest.
        /// </summary>
        private static decimal? Number(string text, long micros) {
            if (text == null) return null;
            var parts = Regex.Match(text, @"^-?0*([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$");
            int exponent = 0;
            if (parts.Success && (!parts.Groups[3].Success || int.TryParse(parts.Groups[3].Value, out exponent))) {
                string whole = parts.Groups[1].Value, fraction = parts.Groups[2].Value;
                var digits = (whole + fraction).TrimEnd('0');
                long scale = fraction.Length - (long) exponent - ((whole + fraction).Length - digits.Length);
                digits = digits.TrimStart('0');
                // 28 digits fit wherever the point is among them.
                if (digits.Length == 0) return 0m;
                if (scale <= 28 && digits.Length - Math.Min(scale, 0) <= 28)
                    return decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            }
            return micros / 1000000m;
        }
    }

    // ---- What goes in ----------------------------------------------------------------------------------------------

    /// <summary>The options of a client. What is not set has the library's default.</summary>
    public sealed class FishClientOptions {
        // Generated from src/ffi: the fields of fish_client_options.
        /// <summary>
        /// The secret API key. null: the environment variable FISH_API_KEY. Sent only to BaseUrl's host.
        /// </summary>
        public string ApiKey { get; set; }

        /// <summary>
        /// The API's address. null: "https://api.fish.audio". It may have a port and a path, but no user,
        /// query or fragment. Plain http:// is allowed for loopback hosts only.
        /// </summary>
        public string BaseUrl { get; set; }

        /// <summary>
        /// "http://[user:password@]host:port" or "socks5://...". "": no proxy. null: the environment
        /// variables HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if BaseUrl is a loopback host.
        /// For such a host, only a proxy on a loopback host is allowed.
        /// </summary>
        public string ProxyUrl { get; set; }

        /// <summary>
        /// The path of a PEM file with the certificates to trust, and no others. null: see SystemRoots.
        /// </summary>
        public string CaFile { get; set; }

        /// <summary>
        /// Prepended to the library's own User-Agent, such as "studio/2.1". null: "fish-api-credit/0.1.0"
        /// alone.
        /// </summary>
        public string UserAgent { get; set; }

        /// <summary>
        /// For a whole call: resolving, connecting, retries and the waits between them. null: 15 s.
        /// </summary>
        public TimeSpan? Timeout { get; set; }

        /// <summary>For one connection attempt, TLS included. null: 5 s.</summary>
        public TimeSpan? ConnectTimeout { get; set; }

        /// <summary>How many times a failed request is retried. By default 2. 0: never.</summary>
        public int MaxRetries { get; set; } = 2;

        /// <summary>Trust the operating system's certificate authorities instead of Mozilla's.</summary>
        public bool SystemRoots { get; set; }
        // End of the generated part.

        internal Native.ClientOptions Given(Text texts) {
            return new Native.ClientOptions {
                // Generated from src/ffi: how the options are given.
                api_key = texts.Give("ApiKey", ApiKey),
                base_url = texts.Give("BaseUrl", BaseUrl),
                proxy_url = texts.Give("ProxyUrl", ProxyUrl),
                ca_file = texts.Give("CaFile", CaFile),
                user_agent = texts.Give("UserAgent", UserAgent),
                timeout_ms = Units.Milliseconds("Timeout", Timeout),
                connect_timeout_ms = Units.Milliseconds("ConnectTimeout", ConnectTimeout),
                max_retries = Units.Retries(MaxRetries),
                tls_roots = Units.Roots(SystemRoots),
                // End of the generated part.
            };
        }
    }

    /// <summary>Which credit to read, and how.</summary>
    public sealed class FishQuery {
        /// <summary>The wallet's owner. null: the key's own account.</summary>
        public string UserId { get; set; }

        /// <summary>
        /// The team whose API credit to read. null: the account's own.
        /// </summary>
        public string TeamId { get; set; }

        /// <summary>Also ask for <see cref="FishCredit.HasFreeCredit"/>.</summary>
        public bool CheckFreeCredit { get; set; }

        /// <summary>For this whole call. null: the client's.</summary>
        public TimeSpan? Timeout { get; set; }

        internal static Native.ApiCreditQuery Given(FishQuery query, Text texts) {
            query = query ?? new FishQuery();
            return new Native.ApiCreditQuery {
                user_id = texts.Give("UserId", query.UserId),
                team_id = texts.Give("TeamId", query.TeamId),
                check_free_credit = (byte) (query.CheckFreeCredit ? 1 : 0),
                timeout_ms = Units.Milliseconds("Timeout", query.Timeout),
            };
        }
    }

    /// <summary>The options of a watch. null means the library's default.</summary>
    public sealed class FishWatchOptions {
        /// <summary>Between two readings, at least a second. null: a minute.</summary>
        public TimeSpan? Interval { get; set; }

        /// <summary>A credit below this is <see cref="FishLevel.Low"/>. null: no such level.</summary>
        public decimal? Low { get; set; }

        /// <summary>After Low or Empty, the level returns to Ok only at or above this. null: Low.</summary>
        public decimal? Recovered { get; set; }

        /// <summary>In the library's units. Checked here, because the library's messages name its own units.</summary>
        internal static Native.WatchOptions Given(FishWatchOptions options) {
            options = options ?? new FishWatchOptions();
            if (options.Interval < TimeSpan.FromSeconds(1))
                throw FishException.Invalid(
                    "Interval is below 1 second; set it to 1 second or more, or pass null for 1 minute.");
            if (options.Recovered < (options.Low ?? 0))
                throw FishException.Invalid("Recovered is below Low; set it to Low or more, or pass null for Low.");
            return new Native.WatchOptions {
                interval_ms = Units.Milliseconds("Interval", options.Interval),
                low_micros = Units.Micros("Low", options.Low),
                recovered_micros = Units.Micros("Recovered", options.Recovered),
            };
        }
    }

    // ---- The client ------------------------------------------------------------------------------------------------

    /// <summary>
    /// Holds connections and options. Create one and share it: any number of threads and tasks may call at once.
    /// Dispose it; a finalizer frees one that is not disposed.
    /// </summary>
    public sealed class FishClient : IDisposable {
        private readonly ClientHandle handle;

        /// <param name="options">null: all defaults; the key is in FISH_API_KEY.</param>
        /// <exception cref="FishException">An option is invalid, or there is no key.</exception>
        /// <exception cref="DllNotFoundException">The library cannot be loaded, or is another version's.</exception>
        public FishClient(FishClientOptions options = null) {
            Native.Check();
            using (var texts = new Text()) {
                var given = (options ?? new FishClientOptions()).Given(texts);
                Native.Error failure;
                if (Native.fish_client_new(ref given, out handle, out failure) != Native.OK)
                    throw FishException.Take(ref failure);
            }
        }

        /// <summary>The version of the library that was loaded.</summary>
        public static string Version { get { return Text.Taken(Native.fish_version()); } }

        /// <summary>
        /// Reads an account's API credit. Blocks for at most the timeout. A cancelled token ends the call at once,
        /// by an OperationCanceledException; any other failure is a <see cref="FishException"/>.
        /// </summary>
        public FishCredit ApiCredit(
            FishQuery query = null, CancellationToken cancel = default(CancellationToken)) {
            return ApiCreditAsync(query, cancel).GetAwaiter().GetResult();
        }

        /// <summary>The same without a thread that waits.</summary>
        public Task<FishCredit> ApiCreditAsync(
            FishQuery query = null, CancellationToken cancel = default(CancellationToken)) {
            return Start(query, cancel, call => {
                Native.ApiCredit filled;
                Native.Error failure;
                if (Native.fish_call_result(call, out filled, out failure) != Native.OK)
                    throw FishException.Take(ref failure);
                return FishCredit.Take(ref filled);
            });
        }

        /// <summary>
        /// Like ApiCredit, but returns the server's document exactly as sent. <see cref="FishCredit.Parse"/> decodes
        /// it.
        /// </summary>
        public string ApiCreditJson(
            FishQuery query = null, CancellationToken cancel = default(CancellationToken)) {
            return ApiCreditJsonAsync(query, cancel).GetAwaiter().GetResult();
        }

        /// <summary>The same without a thread that waits.</summary>
        public Task<string> ApiCreditJsonAsync(
            FishQuery query = null, CancellationToken cancel = default(CancellationToken)) {
            return Start(query, cancel, call => {
                IntPtr json;
                Native.Error failure;
                if (Native.fish_call_result_json(call, out json, out failure) != Native.OK)
                    throw FishException.Take(ref failure);
                try {
                    return Text.Taken(json);
                } finally {
                    Native.fish_string_free(json);
                }
            });
        }

        /// <summary>
        /// Starts a watch, which reads the credit periodically. It ends with the client, or by its Dispose.
        /// </summary>
        public FishWatch Watch(FishQuery query = null, FishWatchOptions options = null) {
            var chosen = FishWatchOptions.Given(options);
            using (var texts = new Text()) {
                var given = FishQuery.Given(query, texts);
                WatchHandle watch;
                Native.Error failure;
                if (Native.fish_watch_start(Open(), ref given, ref chosen, out watch, out failure) != Native.OK)
                    throw FishException.Take(ref failure);
                return new FishWatch(watch);
            }
        }

        /// <summary>
        /// Cancels the running calls, which fail with the status Cancelled, and ends the watches. The connections are
        /// closed and the key is wiped when the last call has returned. Never waits; a second time is harmless.
        /// </summary>
        public void Dispose() {
            try {
                Native.fish_client_cancel(handle);
            } catch (ObjectDisposedException) {
                return;
            }
            handle.Dispose();
        }

        private ClientHandle Open() {
            if (handle.IsClosed) throw new ObjectDisposedException("FishClient");
            return handle;
        }

        private Task<T> Start<T>(FishQuery query, CancellationToken cancel, Func<CallHandle, T> take) {
            var client = Open();
            if (cancel.IsCancellationRequested) return Task.FromCanceled<T>(cancel);
            try {
                using (var texts = new Text()) {
                    var given = FishQuery.Given(query, texts);
                    CallHandle handle;
                    Native.Error failure;
                    if (Native.fish_call_start(client, ref given, out handle, out failure) != Native.OK)
                        throw FishException.Take(ref failure);
                    return new Call<T>(handle, take).Begin(cancel);
                }
            } catch (FishException refused) {
                return Task.FromException<T>(refused);
            }
        }
    }

    /// <summary>
    /// One background call. Only the waiter's thread frees it, because that thread may be waiting for its descriptor.
    /// </summary>
    internal sealed class Call<T> : Waiter.IEntry {
        private readonly CallHandle handle;
        private readonly Func<CallHandle, T> take;
        // Nothing of the program's may run on the waiter's thread.
        private readonly TaskCompletionSource<T> result =
            new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Call(CallHandle handle, Func<CallHandle, T> take) {
            this.handle = handle;
            this.take = take;
            Descriptor = (int) Native.fish_call_descriptor(handle);
        }

        internal Task<T> Begin(CancellationToken cancel) {
            try {
                Waiter.Shared.Add(this);
            } catch {
                handle.Dispose();
                throw;
            }
            if (cancel.CanBeCanceled) {
                var registration = cancel.Register(() => {
                    if (result.TrySetCanceled(cancel)) Waiter.Shared.Remove(this);
                });
                result.Task.ContinueWith(over => registration.Dispose(), TaskScheduler.Default);
            }
            return result.Task;
        }

        public int Descriptor { get; private set; }

        public bool Look() {
            if (!Native.fish_call_is_done(handle)) return false;
            try {
                result.TrySetResult(take(handle));
            } catch (Exception failure) {
                result.TrySetException(failure);
            }
            handle.Dispose();
            return true;
        }

        public void Removed() {
            handle.Dispose();
        }
    }

    // ---- A watch ---------------------------------------------------------------------------------------------------

    /// <summary>The state of a watch.</summary>
    public sealed class FishWatchState {
        internal FishWatchState(WatchHandle watch) {
            Native.WatchState filled;
            Native.Error failure;
            Native.fish_watch_read(watch, out filled, out failure);
            if (failure.status != Native.OK) Error = FishException.Take(ref failure);
            try {
                if (filled.credit.id != IntPtr.Zero) {
                    Credit = new FishCredit(ref filled.credit);
                    Age = TimeSpan.FromMilliseconds(filled.age_ms);
                }
                Level = (FishLevel) filled.level;
                Status = (FishStatus) filled.status;
                Failures = checked((int) Math.Min(filled.failures, int.MaxValue));
                if (filled.next_ms != uint.MaxValue) NextIn = TimeSpan.FromMilliseconds(filled.next_ms);
                Changes = (long) filled.changes;
            } finally {
                Native.fish_watch_state_free(ref filled);
            }
        }

        /// <summary>The last credit that was read. null: none yet. A failure never replaces it.</summary>
        public FishCredit Credit { get; private set; }

        /// <summary>The level of that credit.</summary>
        public FishLevel Level { get; private set; }

        /// <summary>How the latest reading ended. Pending: none has ended yet. Cancelled: the watch has ended.</summary>
        public FishStatus Status { get; private set; }

        /// <summary>Why the latest reading failed. null: it did not.</summary>
        public FishException Error { get; private set; }

        /// <summary>How many readings in a row failed.</summary>
        public int Failures { get; private set; }

        /// <summary>Until the next reading starts. null: never.</summary>
        public TimeSpan? NextIn { get; private set; }

        /// <summary>Since Credit was read, including time asleep. null: nothing has been read.</summary>
        public TimeSpan? Age { get; private set; }

        /// <summary>Increases by one whenever Credit, Level or Status changes.</summary>
        public long Changes { get; private set; }
    }

    /// <summary>
    /// Returned by <see cref="FishClient.Watch"/>. Iterate over it, or await <see cref="ChangedAsync"/>, to get its
    /// state at each change. A slow loop gets only the latest state. Any number of threads may use it.
    /// Dispose it; a finalizer ends one that is not disposed.
    /// </summary>
    public sealed class FishWatch : IDisposable, IEnumerable<FishWatchState> {
        private readonly Known known;

        internal FishWatch(WatchHandle handle) {
            known = new Known(handle);
            Waiter.Shared.Add(known);
        }

        ~FishWatch() {
            if (known != null) known.End();
        }

        /// <summary>Returns the state. Never waits for the network.</summary>
        public FishWatchState Read() {
            var state = known.Read();
            if (state == null) throw new ObjectDisposedException("FishWatch");
            return state;
        }

        /// <summary>
        /// Starts a reading now, for example after a purchase. Never waits; several at once cause one reading.
        /// </summary>
        public void Refresh() {
            known.Refresh();
        }

        /// <summary>
        /// Waits for a state with another number of changes than this one's; null: for the first. Returns null when the
        /// watch has ended.
        /// </summary>
        public async Task<FishWatchState> ChangedAsync(
            FishWatchState seen = null, CancellationToken cancel = default(CancellationToken)) {
            long changes = seen == null ? 0 : seen.Changes;
            while (true) {
                cancel.ThrowIfCancellationRequested();
                FishWatchState state;
                var told = known.Newest(changes, out state);
                if (told == null) {
                    GC.KeepAlive(this);
                    return state;
                }
                if (!cancel.CanBeCanceled) {
                    await told.ConfigureAwait(false);
                    continue;
                }
                var cancelled = new TaskCompletionSource<bool>();
                using (cancel.Register(() => cancelled.TrySetResult(true)))
                    await Task.WhenAny(told, cancelled.Task).ConfigureAwait(false);
            }
        }

        /// <summary>The states from the first reading on, until the watch ends. Blocks for each.</summary>
        public IEnumerator<FishWatchState> GetEnumerator() {
            FishWatchState state = null;
            while ((state = ChangedAsync(state).GetAwaiter().GetResult()) != null) yield return state;
        }

        IEnumerator IEnumerable.GetEnumerator() {
            return GetEnumerator();
        }

        /// <summary>Ends the watch and every loop over it. Never waits; a second time is harmless.</summary>
        public void Dispose() {
            known.End();
            GC.SuppressFinalize(this);
        }

        /// <summary>What both the FishWatch and the waiter refer to: the FishWatch itself can be finalized.</summary>
        private sealed class Known : Waiter.IEntry {
            private readonly WatchHandle handle;
            private readonly object guard = new object();
            private TaskCompletionSource<bool> changed = Source();
            private FishWatchState newest;
            private bool ended;

            internal Known(WatchHandle handle) {
                this.handle = handle;
                Descriptor = (int) Native.fish_watch_descriptor(handle);
            }

            private static TaskCompletionSource<bool> Source() {
                return new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            /// <summary>
            /// Returns null if the watch is closed. A read clears the descriptor, so each wakes all that wait.
            /// </summary>
            internal FishWatchState Read() {
                lock (guard) {
                    if (ended) return null;
                    newest = new FishWatchState(handle);
                    Tell();
                    return newest;
                }
            }

            internal void Refresh() {
                lock (guard) {
                    if (ended) throw new ObjectDisposedException("FishWatch");
                    Native.fish_watch_refresh(handle);
                }
            }

            /// <summary>Returns a task to wait for; or null and the state, which is null at the end.</summary>
            internal Task Newest(long seen, out FishWatchState state) {
                lock (guard) {
                    state = null;
                    if (ended) return null;
                    if (newest != null && newest.Status == FishStatus.Cancelled) return null;
                    if (newest == null || newest.Changes == seen) return changed.Task;
                    state = newest;
                    return null;
                }
            }

            internal void End() {
                lock (guard) {
                    ended = true;
                    Tell();
                }
                Waiter.Shared.Remove(this);
            }

            private void Tell() {
                changed.TrySetResult(true);
                changed = Source();
            }

            public int Descriptor { get; private set; }

            public bool Look() {
                var state = Read();
                return state == null || state.Status == FishStatus.Cancelled;
            }

            public void Removed() {
                handle.Dispose();
            }
        }
    }

    // ---- Waiting ---------------------------------------------------------------------------------------------------

    /// <summary>
    /// One background thread that waits for the descriptors of all calls and watches with poll(2). It starts with the
    /// first entry and ends a second after the last. Without poll (Windows), and for an entry without a descriptor, it
    /// checks every 20 ms.
    /// </summary>
    internal sealed class Waiter {
        /// <summary>What is waited for. The waiter's thread calls all its members.</summary>
        internal interface IEntry {
            /// <summary>Readable when Look has something to do. -1: none.</summary>
            int Descriptor { get; }

            /// <summary>Handles what has happened. Returns true if the entry is finished, which removes it.</summary>
            bool Look();

            /// <summary>After Waiter.Remove: the owner of the descriptor may be freed.</summary>
            void Removed();
        }

        internal static readonly Waiter Shared = new Waiter();

        private const int LookMs = 20;
        private const int IdleMs = 1000;
        private const short PollIn = 1;
        private const int CloseOnExec = 0x80000;

        private readonly object guard = new object();
        private readonly List<Action> requests = new List<Action>();
        private bool running;
        /// <summary>A pipe that wakes poll; null: there is no poll.</summary>
        private int[] pipe;
        private bool woken;
        /// <summary>Only for the thread itself.</summary>
        private readonly List<IEntry> entries = new List<IEntry>();

        internal void Add(IEntry entry) {
            Ask(() => entries.Add(entry));
        }

        /// <summary>Never waits: the waiter's thread does it.</summary>
        internal void Remove(IEntry entry) {
            Ask(() => {
                entries.Remove(entry);
                entry.Removed();
            });
        }

        private void Ask(Action request) {
            lock (guard) {
                requests.Add(request);
                if (!running) {
                    Start();
                } else if (pipe == null) {
                    Monitor.Pulse(guard);
                } else if (!woken) {
                    woken = write(pipe[1], new byte[1], new UIntPtr(1)) == new IntPtr(1);
                }
            }
        }

        private void Start() {
            pipe = OpenPipe();
            woken = false;
            var flow = default(AsyncFlowControl);
            bool flowed = !ExecutionContext.IsFlowSuppressed();
            if (flowed) flow = ExecutionContext.SuppressFlow();
            try {
                new Thread(Run, 256 * 1024) { IsBackground = true, Name = "fish-wait" }.Start();
                running = true;
            } finally {
                if (flowed) flow.Undo();
                if (!running) { // There is no thread to be had.
                    requests.Clear();
                    ClosePipe();
                }
            }
        }

        private void Run() {
            bool idle = false;
            while (true) {
                Action[] asked;
                lock (guard) {
                    if (requests.Count == 0 && entries.Count == 0 && idle) {
                        running = false;
                        ClosePipe();
                        return;
                    }
                    if (woken) woken = read(pipe[0], new byte[1], new UIntPtr(1)) != new IntPtr(1);
                    asked = requests.ToArray();
                    requests.Clear();
                }
                foreach (var request in asked) request();
                idle = entries.Count == 0;
                Wait(idle ? IdleMs : Timeout.Infinite);
            }
        }

        private void Wait(int milliseconds) {
            var looked = entries.ToArray();
            bool all = pipe == null || Array.Exists(looked, one => one.Descriptor < 0);
            if (all && looked.Length > 0) milliseconds = LookMs;
            var rows = new PollFd[looked.Length + 1];
            if (pipe == null) {
                lock (guard)
                    if (requests.Count == 0) Monitor.Wait(guard, milliseconds);
            } else {
                rows[0] = new PollFd { fd = pipe[0], events = PollIn };
                for (int at = 0; at < looked.Length; at++)
                    rows[at + 1] = new PollFd { fd = looked[at].Descriptor, events = PollIn };
                if (poll(rows, new UIntPtr((uint) rows.Length), milliseconds) < 0) {
                    // A signal, or more entries than the process may have descriptors.
                    Thread.Sleep(LookMs);
                    all = true;
                }
            }
            for (int at = 0; at < looked.Length; at++)
                if ((all || rows[at + 1].revents != 0) && IsFinished(looked[at])) entries.Remove(looked[at]);
        }

        /// <summary>An entry that fails, for want of memory perhaps, must not end the thread.</summary>
        private static bool IsFinished(IEntry entry) {
            try {
                return entry.Look();
            } catch (Exception) {
                return true;
            }
        }

        private static int[] OpenPipe() {
            if (Environment.OSVersion.Platform == PlatformID.Win32NT) return null;
            var ends = new int[2];
            try {
                return pipe2(ends, CloseOnExec) == 0 ? ends : null;
            } catch (EntryPointNotFoundException) {
                return pipe_(ends) == 0 ? ends : null; // macOS has no pipe2.
            }
        }

        private void ClosePipe() {
            if (pipe == null) return;
            close(pipe[0]);
            close(pipe[1]);
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct PollFd {
            internal int fd;
            internal short events;
            internal short revents;
        }

        [DllImport("libc")]
        private static extern int poll([In, Out] PollFd[] rows, UIntPtr count, int milliseconds);

        [DllImport("libc")]
        private static extern int pipe2([Out] int[] ends, int flags);

        [DllImport("libc", EntryPoint = "pipe")]
        private static extern int pipe_([Out] int[] ends);

        [DllImport("libc")]
        private static extern IntPtr read(int descriptor, [Out] byte[] buffer, UIntPtr length);

        [DllImport("libc")]
        private static extern IntPtr write(int descriptor, byte[] buffer, UIntPtr length);

        [DllImport("libc")]
        private static extern int close(int descriptor);
    }

    // ---- The library -----------------------------------------------------------------------------------------------

    /// <summary>Texts for the library, wiped and freed by Dispose; and texts from it.</summary>
    internal sealed class Text : IDisposable {
        private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        private readonly List<KeyValuePair<IntPtr, int>> given = new List<KeyValuePair<IntPtr, int>>();

        internal IntPtr Give(string name, string text) {
            if (text == null) return IntPtr.Zero;
            if (text.IndexOf('\0') >= 0) throw FishException.Invalid(name + " contains a NUL character; remove it.");
            byte[] bytes;
            try {
                bytes = Strict.GetBytes(text);
            } catch (EncoderFallbackException) {
                throw FishException.Invalid(name + " contains a lone surrogate; pass valid text.");
            }
            var copy = Marshal.AllocHGlobal(bytes.Length + 1);
            given.Add(new KeyValuePair<IntPtr, int>(copy, bytes.Length));
            Marshal.Copy(bytes, 0, copy, bytes.Length);
            Marshal.WriteByte(copy, bytes.Length, 0);
            Array.Clear(bytes, 0, bytes.Length);
            return copy;
        }

        internal static string Taken(IntPtr text) {
            if (text == IntPtr.Zero) return null;
            int length = 0;
            while (Marshal.ReadByte(text, length) != 0) length++;
            var bytes = new byte[length];
            Marshal.Copy(text, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }

        public void Dispose() {
            foreach (var text in given) {
                Marshal.Copy(new byte[text.Value], 0, text.Key, text.Value);
                Marshal.FreeHGlobal(text.Key);
            }
            given.Clear();
        }
    }

    internal static class Units {
        /// <summary>Rounds up, so that only null becomes 0, the library's default.</summary>
        internal static uint Milliseconds(string name, TimeSpan? time) {
            if (time == null) return 0;
            if (time <= TimeSpan.Zero)
                throw FishException.Invalid(
                    name + " is not above zero; set it above zero, or pass null for the default.");
            return (uint) Math.Min(Math.Ceiling(time.Value.TotalMilliseconds), uint.MaxValue);
        }

        internal static int Retries(int most) {
            if (most < 0)
                throw FishException.Invalid(
                    "MaxRetries is out of range; set it to a count, or to 0 for no retries.");
            return most == 0 ? -1 : most;
        }

        internal static int Roots(bool system) {
            return system ? Native.TLS_ROOTS_SYSTEM : Native.TLS_ROOTS_BUNDLED;
        }

        /// <summary>In micros, rounded up: a credit is below the amount exactly if its whole micros are.</summary>
        internal static long Micros(string name, decimal? amount) {
            if (amount == null) return 0;
            if (amount < 0 || amount >= long.MaxValue / 1000000)
                throw FishException.Invalid(name + " is out of range; pass an amount of 0 or more, or null.");
            return (long) decimal.Ceiling(amount.Value * 1000000m);
        }
    }

    internal sealed class ClientHandle : SafeHandleZeroOrMinusOneIsInvalid {
        public ClientHandle() : base(true) {}

        protected override bool ReleaseHandle() {
            Native.fish_client_free(handle);
            return true;
        }
    }

    internal sealed class CallHandle : SafeHandleZeroOrMinusOneIsInvalid {
        public CallHandle() : base(true) {}

        protected override bool ReleaseHandle() {
            Native.fish_call_free(handle);
            return true;
        }
    }

    internal sealed class WatchHandle : SafeHandleZeroOrMinusOneIsInvalid {
        public WatchHandle() : base(true) {}

        protected override bool ReleaseHandle() {
            Native.fish_watch_free(handle);
            return true;
        }
    }

    /// <summary>fish_api_credit.h.</summary>
    internal static class Native {
        /// <summary>The loader adds what the system's library names begin and end with.</summary>
        private const string Library = "fish_api_credit";

        /// <summary>Throws if there is no library, or one with another ABI version.</summary>
        internal static void Check() {
            uint abi;
            try {
                abi = fish_abi_version();
            } catch (EntryPointNotFoundException) {
                throw new DllNotFoundException("The library that was loaded is not libfish_api_credit; install the one "
                    + "that belongs to FishApiCredit.cs.");
            }
            if (abi != ABI_VERSION)
                throw new DllNotFoundException("libfish_api_credit has ABI " + abi + ", but FishApiCredit.cs is for ABI "
                    + ABI_VERSION + "; install the two together.");
        }

        // Generated from src/ffi: constants, structs and functions.
        internal const string VERSION = "0.1.0";
        internal const int VERSION_MAJOR = 0;
        internal const int VERSION_MINOR = 1;
        internal const int VERSION_PATCH = 0;
        internal const int ABI_VERSION = 1;
        internal const int TLS_ROOTS_BUNDLED = 0;
        internal const int TLS_ROOTS_SYSTEM = 1;
        internal const long TIME_UNKNOWN = long.MinValue;
        internal const int OK = 0;
        internal const int UNKNOWN = -1;
        internal const int TRUE = 1;

        /// <summary>The names in the library's messages that differ here.</summary>
        internal static readonly Dictionary<string, string> Names = new Dictionary<string, string> {
            { "api_key", "ApiKey" },
            { "api_message", "ApiMessage" },
            { "api_reason", "ApiReason" },
            { "base_url", "BaseUrl" },
            { "ca_file", "CaFile" },
            { "check_free_credit", "CheckFreeCredit" },
            { "connect_timeout_ms", "ConnectTimeout" },
            { "field_error_count", "FieldErrorCount" },
            { "field_errors", "FieldErrors" },
            { "http_status", "HttpStatus" },
            { "interval_ms", "Interval" },
            { "low_micros", "Low" },
            { "max_retries", "MaxRetries" },
            { "proxy_url", "ProxyUrl" },
            { "recovered_micros", "Recovered" },
            { "request_id", "RequestId" },
            { "retry_after_ms", "RetryAfter" },
            { "team_id", "TeamId" },
            { "timeout_ms", "Timeout" },
            { "tls_roots", "SystemRoots" },
            { "user_agent", "UserAgent" },
            { "user_id", "UserId" },
            { "FISH_TLS_ROOTS_SYSTEM", "true" },
            { "FISH_TLS_ROOTS_BUNDLED", "false" },
            { "NULL", "null" },
        };

        [StructLayout(LayoutKind.Sequential)]
        internal struct ClientOptions {
            internal IntPtr api_key;
            internal IntPtr base_url;
            internal IntPtr proxy_url;
            internal IntPtr ca_file;
            internal IntPtr user_agent;
            internal uint timeout_ms;
            internal uint connect_timeout_ms;
            internal int max_retries;
            internal int tls_roots;
            internal ulong reserved0, reserved1, reserved2, reserved3, reserved4, reserved5, reserved6, reserved7;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct ApiCreditQuery {
            internal IntPtr user_id;
            internal IntPtr team_id;
            internal byte check_free_credit;
            internal uint timeout_ms;
            internal IntPtr cancel;
            internal ulong reserved0, reserved1, reserved2, reserved3;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct ApiCredit {
            internal IntPtr id;
            internal IntPtr user_id;
            internal IntPtr credit;
            internal IntPtr cumulative_top_up;
            internal IntPtr created_at;
            internal IntPtr updated_at;
            internal IntPtr request_id;
            internal long credit_micros;
            internal long cumulative_top_up_micros;
            internal long created_at_unix_us;
            internal long updated_at_unix_us;
            internal byte credit_micros_exact;
            internal int has_phone_sha256;
            internal int has_free_credit;
            internal IntPtr owner;
            internal ulong reserved0, reserved1, reserved2, reserved3;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct FieldError {
            internal IntPtr location;
            internal IntPtr source;
            internal IntPtr type;
            internal IntPtr message;
            internal IntPtr context;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct Error {
            internal int status;
            internal int http_status;
            internal uint attempts;
            internal uint retry_after_ms;
            internal byte retryable;
            internal IntPtr message;
            internal IntPtr api_message;
            internal IntPtr api_reason;
            internal IntPtr request_id;
            internal IntPtr body;
            internal IntPtr field_errors;
            internal UIntPtr field_error_count;
            internal IntPtr owner;
            internal ulong reserved0, reserved1, reserved2, reserved3;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct WatchOptions {
            internal uint interval_ms;
            internal long low_micros;
            internal long recovered_micros;
            internal ulong reserved0, reserved1, reserved2, reserved3, reserved4, reserved5;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct WatchState {
            internal ApiCredit credit;
            internal int level;
            internal int status;
            internal uint failures;
            internal uint next_ms;
            internal ulong age_ms;
            internal ulong changes;
            internal IntPtr owner;
            internal ulong reserved0, reserved1, reserved2, reserved3;
        }

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr fish_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint fish_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr fish_status_name(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_client_new(
            ref ClientOptions options, out ClientHandle client, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_client_cancel(ClientHandle client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_client_free(IntPtr client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_get_api_credit(
            ClientHandle client, ref ApiCreditQuery query, out ApiCredit credit, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_api_credit_free(ref ApiCredit credit);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr fish_format_micros(long micros, uint decimals, byte[] buffer, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_get_api_credit_json(
            ClientHandle client, ref ApiCreditQuery query, out IntPtr json, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_string_free(IntPtr @string);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_api_credit_from_json(
            byte[] json, UIntPtr length, out ApiCredit credit, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_error_free(ref Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr fish_cancel_token_new();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_cancel_token_cancel(IntPtr token);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_cancel_token_free(IntPtr token);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_call_start(
            ClientHandle client, ref ApiCreditQuery query, out CallHandle call, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool fish_call_is_done(CallHandle call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_call_wait(CallHandle call, uint timeout_ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr fish_call_descriptor(CallHandle call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_call_result(CallHandle call, out ApiCredit credit, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_call_result_json(CallHandle call, out IntPtr json, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_call_free(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_watch_start(
            ClientHandle client, ref ApiCreditQuery query, ref WatchOptions options, out WatchHandle watch, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int fish_watch_read(WatchHandle watch, out WatchState state, out Error error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_watch_refresh(WatchHandle watch);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr fish_watch_descriptor(WatchHandle watch);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_watch_state_free(ref WatchState state);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void fish_watch_free(IntPtr watch);
        // End of the generated part.
    }
}
