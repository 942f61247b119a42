// The watch: reads the credit periodically and keeps the last good reading.

import CFish
import Dispatch
import Foundation

/// A watch's options. nil means the library's default.
public struct FishWatchOptions: Sendable, Hashable {
    /// Between two readings, at least a second. nil: a minute.
    public var interval: Duration?
    /// A credit below this is `FishLevel.low`. nil: no such level.
    public var low: Decimal?
    /// After low or empty, the level returns to ok only at or above this. nil: `low`.
    public var recovered: Decimal?

    public init(interval: Duration? = nil, low: Decimal? = nil, recovered: Decimal? = nil) {
        self.interval = interval
        self.low = low
        self.recovered = recovered
    }

    /// The options in the library's units. Validated here, because the library's messages name its own units.
    func checked() throws(FishError) -> fish_watch_options {
        var given = fish_watch_options()
        given.interval_ms = try milliseconds(interval, named: "interval")
        given.low_micros = try micros(low, named: "low")
        given.recovered_micros = try micros(recovered, named: "recovered")
        if let interval, interval < .seconds(1) {
            throw FishError.invalid("interval is below a second; make it longer, or pass nil for a minute.")
        }
        if recovered != nil && given.recovered_micros < given.low_micros {
            throw FishError.invalid("recovered is below low; set it to low or more, or pass nil for low.")
        }
        return given
    }
}

/// The state of a watch.
public struct FishWatchState: Sendable, Hashable {
    /// The last credit that was read. nil: none yet. A failure never replaces it.
    public let credit: FishCredit?
    /// The level of that credit.
    public let level: FishLevel
    /// How the latest reading ended. `.pending`: none has ended yet. `.cancelled`: the watch has ended.
    public let status: FishError.Status
    /// Why the latest reading failed. nil: it did not.
    public let error: FishError?
    /// How many readings in a row failed.
    public let failures: Int
    /// Until the next reading starts. nil: never.
    public let next: Duration?
    /// Since `credit` was read, including time asleep. nil: nothing has been read.
    public let age: Duration?
    /// Increases by one whenever credit, level or status changes.
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

/// Returned by `FishClient.watch`. One `for await` loop gets its state at each change; a slow loop gets only the latest
/// state. It ends by `cancel()`, or with its last reference; a loop holds one.
public final class FishWatch: AsyncSequence, Sendable {
    public typealias Element = FishWatchState

    private let known: Known
    private let states: AsyncStream<FishWatchState>
    // Freeing the client would end the watch.
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

    /// Returns the state. Never waits for the network.
    public func read() -> FishWatchState {
        known.read()
    }

    /// Starts a reading now, for example after a purchase. Never waits; several at once cause one reading.
    public func refresh() {
        known.refresh()
    }

    /// Ends the watch and the loop over it. Never waits.
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

/// The library's watch, kept until its descriptor is no longer used.
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
        // This read cleared the descriptor, so the change must be sent to the stream here.
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
            // No descriptor was available, so poll.
            let timer = DispatchSource.makeTimerSource(queue: waitingQueue)
            timer.schedule(deadline: .now(), repeating: .milliseconds(100))
            source = timer
        }
        // The handlers keep the source and this object alive until the source is cancelled.
        source.setEventHandler {
            if self.read().status == .cancelled { source.cancel() }
        }
        source.setCancelHandler { withExtendedLifetime(self) {} }
        source.activate()
    }
}

/// In micros, rounded up: a credit is below the amount exactly if its whole micros are.
private func micros(_ amount: Decimal?, named name: String) throws(FishError) -> Int64 {
    guard let amount else { return 0 }
    guard !amount.isNaN, amount >= 0, amount <= Decimal(Int64.max) / 1_000_000 else {
        throw FishError.invalid("\(name) is out of range; pass an amount of 0 or more, or nil.")
    }
    var exact = amount * 1_000_000
    var whole = Decimal()
    NSDecimalRound(&whole, &exact, 0, .up)
    return NSDecimalNumber(decimal: whole).int64Value
}
