// Without blocking: calls that take no thread, and watches.

import FishApiCredit
import Foundation
import XCTest

private let wallet =
    #"{"_id":"w1","user_id":"u1","credit":"12.345678","created_at":"2026-01-02T03:04:05Z","#
    + #""updated_at":"2026-02-03T04:05:06.5Z"}"#

/// The library's promise after a cancellation is 100 ms; the rest is the machine's.
private let prompt = Duration.seconds(20)

/// One answer after another, and the last one again.
private func oneAfterAnother(_ answers: [String]) -> Server {
    let left = Left(answers)
    return Server { _ in left.next() }
}

private final class Left: @unchecked Sendable {
    private let lock = NSLock()
    private var answers: [String]

    init(_ answers: [String]) { self.answers = answers }

    func next() -> String {
        lock.lock()
        defer { lock.unlock() }
        return answers.count > 1 ? answers.removeFirst() : answers[0]
    }
}

private func balance(_ amount: String) -> String {
    http(200, wallet.replacingOccurrences(of: "12.345678", with: amount), ["x-fish-trace-id: t-1"])
}

private func makeClient(_ server: Server) throws -> FishClient {
    try FishClient(FishClientOptions(apiKey: "sk-test", baseURL: server.url, timeout: .seconds(60)))
}

/// The threads of this process that are not the library's.
private func threads() -> Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.filter { task in
        let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
        return name?.hasPrefix("fish-") == false
    }.count
}

final class WatchTests: XCTestCase {
    func testACreditHasItsRequestsName() async throws {
        let server = oneAfterAnother([balance("1")])
        defer { server.stop() }
        let credit = try await makeClient(server).apiCredit()
        XCTAssertEqual(credit.requestID, "t-1")
    }

    func testCallsThatWaitTakeNoThreadOfSwifts() async throws {
        let calls = 50
        let server = Server { _ in nil }
        defer { server.stop() }
        let client = try makeClient(server)
        var requests = server.requests.makeAsyncIterator()
        let before = threads()
        let tasks = (0..<calls).map { _ in
            Task { () -> FishError.Status? in
                do throws(FishError) {
                    _ = try await client.apiCredit()
                    return nil
                } catch {
                    return error.status
                }
            }
        }
        for _ in 0..<calls {
            _ = await requests.next()
        }
        // The test's own server has a thread for each connection.
        XCTAssertLessThan(threads() - before - calls, calls / 2)
        let start = ContinuousClock.now
        for task in tasks {
            task.cancel()
        }
        for task in tasks {
            let status = await task.value
            XCTAssertEqual(status, .cancelled)
        }
        XCTAssertLessThan(ContinuousClock.now - start, prompt)
    }

    func testAWatchTellsEachChange() async throws {
        let expected: [(String, FishLevel)] = [
            ("12", .ok), ("4", .low), ("5.5", .low), ("6", .ok), ("0", .empty), ("-1", .empty),
        ]
        let server = oneAfterAnother(expected.map { balance($0.0) })
        defer { server.stop() }
        let options = FishWatchOptions(interval: .seconds(3600), low: 5, recovered: 6)
        let watch = try makeClient(server).watch(FishQuery(), options)
        var seen: [FishWatchState] = []
        for await state in watch {
            seen.append(state)
            if seen.count == expected.count { break }
            watch.refresh()
        }
        XCTAssertEqual(seen.map { $0.credit?.creditText }, expected.map { $0.0 })
        XCTAssertEqual(seen.map(\.level), expected.map { $0.1 })
        for state in seen {
            XCTAssertEqual(state.status, .ok)
            XCTAssertNil(state.error)
            XCTAssertEqual(state.failures, 0)
            XCTAssertEqual(state.credit?.requestID, "t-1")
            XCTAssertNotNil(state.next)
            XCTAssertNotNil(state.age)
        }
        XCTAssertEqual(watch.read().credit?.creditText, "-1")
    }

    func testAFailureKeepsTheCreditAndSaysWhy() async throws {
        let server = oneAfterAnother([balance("1"), http(401, #"{"message":"gone"}"#)])
        defer { server.stop() }
        let watch = try makeClient(server).watch(FishQuery(), FishWatchOptions(interval: .seconds(3600)))
        var states = watch.makeAsyncIterator()
        _ = await states.next()
        watch.refresh()
        let state = await states.next()
        XCTAssertEqual(state?.credit?.creditText, "1")
        XCTAssertEqual(state?.status, .unauthorized)
        XCTAssertEqual(state?.error?.apiMessage, "gone")
        XCTAssertEqual(state?.failures, 1)
    }

    func testALoopEndsWithItsWatch() async throws {
        let server = Server { _ in nil }
        defer { server.stop() }
        let watch = try makeClient(server).watch()
        let state = watch.read()
        XCTAssertEqual(state.status, .pending)
        XCTAssertNil(state.credit)
        XCTAssertNil(state.error)
        XCTAssertNil(state.age)
        XCTAssertEqual(state.level, .unknown)
        let loop = Task {
            var count = 0
            for await _ in watch { count += 1 }
            return count
        }
        var requests = server.requests.makeAsyncIterator()
        _ = await requests.next()
        let start = ContinuousClock.now
        watch.cancel()
        watch.cancel()
        let count = await loop.value
        XCTAssertEqual(count, 0)
        XCTAssertLessThan(ContinuousClock.now - start, prompt)
        watch.refresh()
    }

    func testALoopEndsWithItsTask() async throws {
        let server = Server { _ in nil }
        defer { server.stop() }
        let client = try makeClient(server)
        let loop = Task {
            for await _ in try client.watch() {}
        }
        var requests = server.requests.makeAsyncIterator()
        _ = await requests.next()
        loop.cancel()
        try await loop.value
        // Its watch was its own: the reading under way ends.
        var hangUps = server.hangUps.makeAsyncIterator()
        let hangUp: Void? = await hangUps.next()
        XCTAssertNotNil(hangUp)
    }

    func testAChangeThatReadTookIsToldToo() async throws {
        let server = oneAfterAnother([balance("1"), balance("2")])
        defer { server.stop() }
        let watch = try makeClient(server).watch(FishQuery(), FishWatchOptions(interval: .seconds(3600)))
        while watch.read().changes < 1 { try await Task.sleep(for: .milliseconds(1)) }
        watch.refresh()
        while watch.read().changes < 2 { try await Task.sleep(for: .milliseconds(1)) }
        var states = watch.makeAsyncIterator()
        let state = await states.next()
        XCTAssertEqual(state?.credit?.creditText, "2")
    }

    func testOptionsOfAWatchThatAreRefused() throws {
        let client = try FishClient(FishClientOptions(apiKey: "k"))
        let cases: [(options: FishWatchOptions, word: String)] = [
            (FishWatchOptions(interval: .milliseconds(500)), "interval is below"),
            (FishWatchOptions(interval: .zero), "interval is not above"),
            (FishWatchOptions(low: -1), "low is out of range"),
            (FishWatchOptions(low: Decimal.nan), "low is out of range"),
            (FishWatchOptions(low: Decimal(string: "1e30")), "low is out of range"),
            (FishWatchOptions(low: Decimal(string: "9223372036854.775808")), "low is out of range"),
            (FishWatchOptions(low: 5, recovered: 4), "recovered is below low"),
        ]
        for expected in cases {
            XCTAssertThrowsError(try client.watch(FishQuery(), expected.options)) { error in
                XCTAssertEqual((error as? FishError)?.status, .invalidArgument)
                XCTAssertEqual((error as? FishError)?.message.contains(expected.word), true, "\(error)")
            }
        }
        XCTAssertThrowsError(try client.watch(FishQuery(userID: "..")))
    }

    func testALevelIsExactUpToTheLargestAmount() async throws {
        // Amounts that a Double does not hold.
        for (credit, low, level) in [
            ("9007199254.740992", "9007199254.740993", FishLevel.low), ("9007199254.740993", "9007199254.740993", .ok),
            ("9223372036854.775806", "9223372036854.775807", .low), ("9223372036854.775807", "9223372036854.775807", .ok),
        ] {
            let server = oneAfterAnother([balance(credit)])
            defer { server.stop() }
            let watch = try makeClient(server).watch(FishQuery(), FishWatchOptions(low: Decimal(string: low)))
            var states = watch.makeAsyncIterator()
            let state = await states.next()
            XCTAssertEqual(state?.level, level, "\(credit) \(low)")
        }
    }

    func testNothingIsLeft() async throws {
        let server = oneAfterAnother([balance("1")])
        defer { server.stop() }
        let client = try makeClient(server)
        func descriptors() -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
        }
        func round() async throws {
            _ = try await client.apiCredit()
            for await _ in try client.watch() { break }
        }
        try await round()
        let before = descriptors()
        for _ in 0..<30 {
            try await round()
        }
        let start = ContinuousClock.now
        // A connection, of which this process has both ends, may be another's now.
        while descriptors() > before + 6 && ContinuousClock.now - start < .seconds(30) {
            try await Task.sleep(for: .milliseconds(10))
        }
        XCTAssertLessThanOrEqual(descriptors(), before + 6)
    }
}
