// A watch: reads the credit again and again, and always has the last good answer at hand.

import CFish
import Dispatch
import Foundation

/// A watch's settings. nil is the library's default.
public struct FishWatchOptions: Sendable, Hashable {
    /// Between two readings, at least a second. nil: a minute.
    public var interval: Duration?
    /// A credit below this is `FishLevel.low`. nil: there is no such level.
    public var low: Decimal?
    /// From low or empty the level is ok again only at or above this. nil: `low`.
    public var recovered: Decimal?

    public init(interval: Duration? = nil, low: Decimal? = nil, recovered: Decimal? = nil) {
        self.interval = interval
        self.low = low
        self.recovered = recovered
    }

    /// The options in the library's units, of which its own messages would speak.
    func checked() throws(FishError) -> fish_watch_options {
        var given = fish_watch_options()
        given.interval_ms = try milliseconds(interval, named: "interval")
        given.low_micros = try micros(low, named: "low")
        given.recovered_micros = try micros(recovered, named: "recovered")
        if let interval, interval < .seconds(1) {
            throw FishError.invalid("interval is below a second; make it longer, or pass nil for a minute.")
        }
        if recovered != nil && given.recovered_micros < given.low_micros {
            throw FishError.invalid("recovered is below low; make it at least low, or pass nil for low.")
        }
        return given
    }
}

/// What a watch knows.
public struct FishWatchState: Sendable, Hashable {
    /// The last that was read. nil: nothing has been yet. A failure never replaces it.
    public let credit: FishCredit?
    /// The level of that credit.
    public let level: FishLevel
    /// How the newest reading ended. `.pending`: none has. `.cancelled`: the watch has ended.
    public let status: FishError.Status
    /// Why the newest reading failed. nil: it did not.
    public let error: FishError?
    /// How many readings in a row failed.
    public let failures: Int
    /// Until the next reading begins. nil: never.
    public let next: Duration?
    /// Since `credit` was read, time asleep included. nil: nothing has been read.
    public let age: Duration?
    /// Grows by one whenever credit, level or status changes.
    public let changes: UInt64

    fileprivate init(reading watch: OpaquePointer) {
        var filled = fish_watch_state()
        var failure = fish_error()
        fish_watch_read(watch, &filled, &failure)
        let known = filled.credit.id != nil
        credit = known ? FishCredit(copying: filled.credit) : nil
        level = FishLevel(rawValue: Int32(filled.level.rawValue)) ?? .unknown
        status = FishError.Status(rawValue: filled.status)
        if status == .ok || status == .pending {
            error = nil
            fish_error_free(&failure)
        } else {
            error = FishError(taking: &failure)
        }
        failures = Int(filled.failures)
        next = filled.next_ms == UInt32.max ? nil : .milliseconds(Int64(filled.next_ms))
        age = known ? .milliseconds(Int64(clamping: filled.age_ms)) : nil
        changes = filled.changes
        fish_watch_state_free(&filled)
    }
}

/// What `FishClient.watch` gives: its state at each change, for one `for await` loop. A slow loop misses what lies
/// between, and gets the newest. It ends by `cancel()`, or with its last reference; a loop holds one.
public final class FishWatch: AsyncSequence, Sendable {
    public typealias Element = FishWatchState

    private let known: Known
    private let states: AsyncStream<FishWatchState>
    // Without references the client is freed, and the watch with it.
    private let client: FishClient
    private let token: CancelToken

    init(_ pointer: OpaquePointer, of client: FishClient, endedBy token: CancelToken) {
        let (states, tell) = AsyncStream<FishWatchState>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.known = Known(pointer, tell)
        self.states = states
        self.client = client
        self.token = token
        known.follow()
    }

    deinit {
        cancel()
    }

    /// What it knows now. Never waits for the network.
    public func read() -> FishWatchState {
        known.read()
    }

    /// Reads now, after a purchase or a spend. Never waits; several at once are one.
    public func refresh() {
        known.refresh()
    }

    /// Ends it, and the loop over it. Never waits.
    public func cancel() {
        token.cancel()
        known.end()
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(watch: self, states: states.makeAsyncIterator())
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let watch: FishWatch
        var states: AsyncStream<FishWatchState>.AsyncIterator

        public mutating func next() async -> FishWatchState? {
            await states.next()
        }
    }
}

/// The library's watch, kept until its descriptor is let go.
private final class Known: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let tell: AsyncStream<FishWatchState>.Continuation
    private let lock = NSLock()
    private var seen: UInt64 = 0

    init(_ pointer: OpaquePointer, _ tell: AsyncStream<FishWatchState>.Continuation) {
        self.pointer = pointer
        self.tell = tell
    }

    deinit {
        fish_watch_free(pointer)
    }

    func read() -> FishWatchState {
        lock.lock()
        defer { lock.unlock() }
        let state = FishWatchState(reading: pointer)
        // The descriptor is silent now, whoever reads: so whoever reads tells.
        if state.status == .cancelled {
            tell.finish()
        } else if state.changes != seen {
            seen = state.changes
            tell.yield(state)
        }
        return state
    }

    func refresh() {
        fish_watch_refresh(pointer)
    }

    func end() {
        tell.finish()
    }

    /// Reads at each change, until the watch has ended.
    func follow() {
        let descriptor = fish_watch_descriptor(pointer)
        let source: any DispatchSourceProtocol
        if descriptor >= 0 {
            source = DispatchSource.makeReadSource(fileDescriptor: Int32(descriptor), queue: waitingQueue)
        } else {
            // There was no descriptor left.
            let timer = DispatchSource.makeTimerSource(queue: waitingQueue)
            timer.schedule(deadline: .now(), repeating: .milliseconds(100))
            source = timer
        }
        // Both hold the source and this until the source is cancelled.
        source.setEventHandler {
            if self.read().status == .cancelled { source.cancel() }
        }
        source.setCancelHandler { withExtendedLifetime(self) {} }
        source.activate()
    }
}

/// Rounded up: a credit is below the amount exactly if its whole micros are.
private func micros(_ amount: Decimal?, named name: String) throws(FishError) -> Int64 {
    guard let amount else { return 0 }
    guard !amount.isNaN, amount >= 0, amount < 9_000_000_000_000 else {
        throw FishError.invalid("\(name) is out of range; pass an amount from 0, or nil.")
    }
    var exact = amount * 1_000_000
    var whole = Decimal()
    NSDecimalRound(&whole, &exact, 0, .up)
    return NSDecimalNumber(decimal: whole).int64Value
}
