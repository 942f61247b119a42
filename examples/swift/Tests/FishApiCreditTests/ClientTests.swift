// The package through its own door: what a program sees of each kind of answer, deadline and cancellation.
// There is no use after close and no closing twice to test: a client has no close, its last reference frees it.

import FishApiCredit
import Foundation
import XCTest

private let wallet =
    #"{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00","#
    + #""created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.5Z","#
    + #""has_phone_sha256":true,"has_free_credit":null}"#

/// The library's promise after a deadline or a cancellation is 100 ms; the rest is the machine's.
private let prompt = Duration.seconds(20)

private func makeClient(
    _ server: Server, timeout: Duration = .seconds(60), maxRetries: Int = 2, userAgent: String? = nil
) throws -> FishClient {
    try FishClient(
        FishClientOptions(
            apiKey: "sk-test", baseURL: server.url, userAgent: userAgent, timeout: timeout, maxRetries: maxRetries))
}

/// How a call fails; nil if it does not.
private func failure(_ client: FishClient, _ query: FishQuery = FishQuery()) async -> FishError? {
    do throws(FishError) {
        _ = try await client.apiCredit(query)
        return nil
    } catch {
        return error
    }
}

/// How making a client fails; nil if it does not.
private func refusal(_ options: FishClientOptions) -> FishError? {
    do throws(FishError) {
        _ = try FishClient(options)
        return nil
    } catch {
        return error
    }
}

final class ClientTests: XCTestCase {
    func testTheDocumentedAnswer() async throws {
        let server = Server { _ in http(200, wallet) }
        defer { server.stop() }
        let credit = try await makeClient(server).apiCredit()
        XCTAssertEqual(credit.id, "w1")
        XCTAssertEqual(credit.userID, "u1")
        XCTAssertEqual(credit.credit, Decimal(string: "12.345678"))
        XCTAssertEqual(credit.creditText, "12.345678")
        XCTAssertEqual(credit.creditMicros, 12_345_678)
        XCTAssertTrue(credit.creditMicrosExact)
        XCTAssertEqual(credit.cumulativeTopUp, Decimal(100))
        XCTAssertEqual(credit.cumulativeTopUpText, "100.00")
        XCTAssertEqual(credit.createdAt, Date(timeIntervalSince1970: 1_767_323_045))
        XCTAssertEqual(credit.updatedAt, Date(timeIntervalSince1970: 1_770_091_506.5))
        XCTAssertEqual(credit.createdAtText, "2026-01-02T03:04:05Z")
        XCTAssertEqual(credit.hasPhone, true)
        XCTAssertNil(credit.hasFreeCredit)
    }

    func testUnknownAndMissingFields() async throws {
        let server = Server { _ in
            http(200, #"{"new":[1,{"x":null}],"_id":"w","user_id":"u","credit":"-0.00000000000000000001","#
                + #""created_at":"yesterday","updated_at":"later","has_free_credit":false}"#)
        }
        defer { server.stop() }
        let credit = try makeClient(server).blockingApiCredit()
        XCTAssertEqual(credit.creditText, "-0.00000000000000000001")
        XCTAssertEqual(credit.credit, Decimal(string: "-0.00000000000000000001"))
        XCTAssertEqual(credit.creditMicros, -1)
        XCTAssertFalse(credit.creditMicrosExact)
        XCTAssertNil(credit.cumulativeTopUp)
        XCTAssertNil(credit.createdAt)
        XCTAssertEqual(credit.createdAtText, "yesterday")
        XCTAssertNil(credit.hasPhone)
        XCTAssertEqual(credit.hasFreeCredit, false)
    }

    func testTheDocumentIsAsSentAndDecodes() async throws {
        let document = "\r\n" + wallet.replacingOccurrences(of: "{", with: "{\"new\":[\"\u{e9}\u{1f41f}\"] , ") + "\n\n"
        let server = Server { _ in http(200, document) }
        defer { server.stop() }
        let client = try makeClient(server)
        let json = try await client.apiCreditJSON()
        XCTAssertEqual(Array(json.utf8), Array(document.utf8))
        let credit = try FishCredit(json: json)
        XCTAssertEqual(credit.creditText, "12.345678")
        XCTAssertNil(credit.requestID)
        for json in ["", "{}", wallet + "x", "\0"] {
            XCTAssertThrowsError(try FishCredit(json: json)) { error in
                XCTAssertEqual((error as? FishError)?.status, .badResponse, "\(json): \(error)")
            }
        }
        let refused = Server { _ in http(401, "") }
        defer { refused.stop() }
        do {
            _ = try await makeClient(refused).apiCreditJSON()
            XCTFail("a 401 gave a document")
        } catch {
            XCTAssertEqual((error as? FishError)?.status, .unauthorized)
        }
    }

    func testAmountsAreRoundedDown() {
        XCTAssertEqual(FishCredit.formatMicros(12_345_678), "12.34")
        XCTAssertEqual(FishCredit.formatMicros(-1), "-0.01")
        XCTAssertEqual(FishCredit.formatMicros(999_999, decimals: 0), "0")
        XCTAssertEqual(FishCredit.formatMicros(-1_500_000, decimals: -1), "-2")
        XCTAssertEqual(FishCredit.formatMicros(.min, decimals: 7), "-9223372036854.775808")
    }

    func testVersions() {
        XCTAssertEqual(FishClient.libraryVersion, FishClient.version)
        XCTAssertTrue(FishClient.version.contains(/^\d+\.\d+\.\d+/), FishClient.version)
    }

    func testTheRequest() async throws {
        let server = Server { _ in http(200, wallet) }
        defer { server.stop() }
        let client = try makeClient(server, userAgent: "swift/1")
        _ = try await client.apiCredit(FishQuery(userID: "a/b", teamID: "t&1", checkFreeCredit: true))
        var requests = server.requests.makeAsyncIterator()
        let head = await requests.next() ?? ""
        XCTAssertTrue(
            head.hasPrefix("GET /wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t%261 HTTP/1.1\r\n"), head)
        // Header names have no case.
        XCTAssertTrue(head.contains(/\r\nauthorization: Bearer sk-test\r\n/.ignoresCase()), head)
        XCTAssertTrue(head.contains(/\r\nuser-agent: swift\/1 fish-api-credit\//.ignoresCase()), head)
    }

    func testErrorsAreTyped() async throws {
        let cases: [(status: FishError.Status, http: Int, body: String, headers: [String])] = [
            (.unauthorized, 401, #"{"status":401,"message":"Invalid Token"}"#, ["x-fish-trace-id: t-1"]),
            (.unauthorized, 401, "<html>no</html>", []),
            (.paymentRequired, 402, "", []),
            (.forbidden, 403, "", []),
            (.notFound, 404, "", []),
            (.rateLimited, 429, #"{"status":429,"message":"slow","reason":"rate"}"#, ["Retry-After: 7"]),
            (.serverError, 503, "", []),
            (.badResponse, 200, "{}", []),
        ]
        for expected in cases {
            let (status, body, headers) = (expected.http, expected.body, expected.headers)
            let server = Server { _ in http(status, body, headers) }
            defer { server.stop() }
            let client = try makeClient(server, maxRetries: 0)
            let error = await failure(client)
            XCTAssertEqual(error?.status, expected.status, "\(expected)")
            XCTAssertEqual(error?.httpStatus, expected.http)
            XCTAssertEqual(error?.attempts, 1)
            XCTAssertEqual(error?.body ?? "", expected.body)
            XCTAssertEqual(error?.message.isEmpty, false)
            if expected.http == 429 {
                XCTAssertEqual(error?.retryAfter, Duration.seconds(7))
                XCTAssertEqual(error?.isRetryable, true)
                XCTAssertEqual(error?.apiMessage, "slow")
                XCTAssertEqual(error?.apiReason, "rate")
            }
            if !expected.headers.isEmpty && expected.http == 401 {
                XCTAssertEqual(error?.requestID, "t-1")
                XCTAssertEqual(error?.apiMessage, "Invalid Token")
            }
        }
    }

    func testFieldErrors() async throws {
        let server = Server { _ in
            http(422, #"[{"loc":["query","check_free_credit"],"in":"query","type":"bool_parsing","msg":"no bool","#
                + #""ctx":{"a":1}},{"loc":["path"],"type":"t","msg":"m"}]"#)
        }
        defer { server.stop() }
        let error = try await failure(makeClient(server))
        XCTAssertEqual(error?.status, FishError.Status.validationFailed)
        XCTAssertEqual(error?.fields.map(\.location), ["query.check_free_credit", "path"])
        XCTAssertEqual(error?.fields.map(\.source), ["query", nil])
        XCTAssertEqual(error?.fields.map { $0.type }, ["bool_parsing", "t"])
        XCTAssertEqual(error?.fields.map(\.message), ["no bool", "m"])
        XCTAssertEqual(error?.fields.map(\.context), [#"{"a":1}"#, nil])
    }

    func testTheDeadlineHolds() async throws {
        let server = Server { _ in nil }
        defer { server.stop() }
        let deadlines: [(ofClient: Duration, ofCall: Duration?)] = [
            (Duration.milliseconds(150), nil),
            (Duration.seconds(60), Duration.milliseconds(150)),
            (Duration.seconds(60), Duration.nanoseconds(1)),
        ]
        for (ofClient, ofCall) in deadlines {
            let client = try makeClient(server, timeout: ofClient)
            let start = ContinuousClock.now
            let error = await failure(client, FishQuery(timeout: ofCall))
            let took = ContinuousClock.now - start
            XCTAssertEqual(error?.status, FishError.Status.timedOut)
            XCTAssertGreaterThanOrEqual(took, ofCall ?? ofClient)
            XCTAssertLessThan(took, (ofCall ?? ofClient) + prompt)
        }
    }

    func testCancellingATaskEndsItsCall() async throws {
        let server = Server { _ in nil }
        defer { server.stop() }
        let client = try makeClient(server)
        let task = Task { await failure(client) }
        var requests = server.requests.makeAsyncIterator()
        _ = await requests.next()
        let start = ContinuousClock.now
        task.cancel()
        let error = await task.value
        XCTAssertEqual(error?.status, FishError.Status.cancelled)
        XCTAssertLessThan(ContinuousClock.now - start, prompt)
    }

    func testACancelledTokenStaysCancelled() throws {
        let server = Server { _ in http(200, wallet) }
        defer { server.stop() }
        let token = CancelToken()
        token.cancel()
        token.cancel()
        XCTAssertThrowsError(try makeClient(server).blockingApiCredit(cancel: token)) { error in
            XCTAssertEqual((error as? FishError)?.status, FishError.Status.cancelled)
        }
    }

    func testHundredsOfTasksShareAClient() async throws {
        let server = Server { path in
            let user = path.split(separator: "/")[1]
            return http(200, wallet.replacingOccurrences(of: "u1", with: String(user)))
        }
        defer { server.stop() }
        let client = try makeClient(server)
        let right = await withTaskGroup(of: Bool.self, returning: Int.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let credit = try? await client.apiCredit(FishQuery(userID: "user\(number)"))
                    return credit?.userID == "user\(number)"
                }
            }
            var right = 0
            for await one in group where one {
                right += 1
            }
            return right
        }
        XCTAssertEqual(right, 300)
    }

    func testTheLastReferenceClosesTheConnections() async throws {
        let server = Server { _ in http(200, wallet) }
        defer { server.stop() }
        var client: FishClient? = try makeClient(server)
        _ = try await client?.apiCredit()
        client = nil
        var hangUps = server.hangUps.makeAsyncIterator()
        let hangUp: Void? = await hangUps.next()
        XCTAssertNotNil(hangUp)
    }

    func testOptionsThatAreRefused() {
        unsetenv("FISH_API_KEY")
        let cases: [(options: FishClientOptions, status: FishError.Status, word: String)] = [
            (FishClientOptions(), .missingAPIKey, "FISH_API_KEY"),
            (FishClientOptions(apiKey: "sk\0x"), .invalidArgument, "apiKey"),
            (FishClientOptions(apiKey: "sk\n"), .invalidArgument, "apiKey contains"),
            (FishClientOptions(apiKey: "k", baseURL: "http://example.com"), .invalidArgument, "baseURL"),
            (FishClientOptions(apiKey: "k", caFile: "/nonexistent.pem"), .invalidArgument, "caFile"),
            (FishClientOptions(apiKey: "k", userAgent: ""), .invalidArgument, "or leave it unset"),
            (FishClientOptions(apiKey: "k", timeout: Duration.zero), .invalidArgument, "timeout"),
            (FishClientOptions(apiKey: "k", maxRetries: -1), .invalidArgument, "maxRetries"),
        ]
        for expected in cases {
            let error = refusal(expected.options)
            XCTAssertEqual(error?.status, expected.status, expected.word)
            XCTAssertEqual(error?.message.contains(expected.word), true, error?.message ?? "nothing")
            XCTAssertEqual(error?.message.contains("options."), false, error?.message ?? "nothing")
        }
        XCTAssertNil(refusal(FishClientOptions(apiKey: "k", proxy: .direct, timeout: Duration.seconds(1_000_000_000))))
    }

    func testNothingPrintsTheKey() {
        struct Nested {
            let options: FishClientOptions
            private let hidden: FishClientOptions?
            init(_ options: FishClientOptions) { (self.options, hidden) = (options, options) }
        }
        let options = FishClientOptions(apiKey: "sk-secret", proxy: .url("http://me:secret@proxy.example:80"))
        let things: [Any] = [options, Nested(options), [options], ["o": options], Optional(options) as Any]
        for thing in things {
            var dumped = ""
            dump(thing, to: &dumped)
            for text in [dumped, "\(thing)", String(describing: thing), String(reflecting: thing)] {
                XCTAssertFalse(text.contains("secret"), text)
                XCTAssertTrue(text.contains("[redacted]"), text)
            }
        }
        XCTAssertFalse("\(FishClientOptions())".contains("redacted"))
    }

    func testStatusNames() {
        XCTAssertEqual(String(describing: FishError.Status.timedOut), "FISH_TIMED_OUT")
        XCTAssertEqual(String(describing: FishError.Status(rawValue: 12345)), "FISH_UNKNOWN_STATUS")
    }
}
