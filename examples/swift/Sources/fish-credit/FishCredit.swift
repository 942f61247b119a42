// fish-credit: shows a Fish Audio account's API credit, once or whenever it changes.
//
// Its options, output and exit statuses are those of the C program of this name, and --help lists them. This file reads
// the credit, Options.swift the command line; Output.swift has what is printed.

import Dispatch
import FishApiCredit
import Foundation

/// The exit statuses.
enum Exit {
    static let shown: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let unwritten: Int32 = 2
    static let low: Int32 = 3
    static let empty: Int32 = 4
}

@main
@MainActor
struct FishCreditCommand {
    let asked: Request
    var output: Output { .standard }

    static func main() async {
        signal(SIGPIPE, SIG_IGN)  // a closed pipe is then a write error, like a full disk
        Output.holdPlaces()
        let outcome = await run(Array(ProcessInfo.processInfo.arguments.dropFirst()))
        exit(Output.standard.finish(outcome))
    }

    static func run(_ arguments: [String]) async -> Int32 {
        let asked: Request
        do throws(Complaint) {
            asked = try Request(arguments)
        } catch {
            Output.explain(error.text)
            return Exit.usage
        }
        if asked.help {
            Output.standard.put(help)
            return Exit.shown
        }
        if asked.version {
            Output.standard.put("fish-credit \(FishClient.version), library \(FishClient.libraryVersion)\n")
            return Exit.shown
        }
        let command = FishCreditCommand(asked: asked)
        do throws(FishError) {
            let client = try FishClient(try asked.client())
            return try await asked.watch ? command.keepWatching(client) : command.ask(client)
        } catch {
            if asked.prometheus { command.output.expose(nil, .unknown, asked) }
            Output.complain(error)
            return Exit.failed
        }
    }

    /// Makes one call.
    func ask(_ client: FishClient) async throws(FishError) -> Int32 {
        let query = try asked.query()
        let document = asked.json ? try await client.apiCreditJSON(query) : nil
        let credit: FishCredit
        if let document {
            credit = try FishCredit(json: document)
        } else {
            credit = try await client.apiCredit(query)
        }
        let level = levelOf(credit.creditMicros)
        if asked.prometheus {
            output.expose(credit, level, asked)
        } else if let document {
            let line = document.unicodeScalars.reversed().drop { $0 == "\r" || $0 == "\n" }.reversed()
            output.put(String(String.UnicodeScalarView(line)) + "\n")
        } else {
            output.show(credit, level, asked)
        }
        return asked.lowMicros == nil ? Exit.shown : outcome(level)
    }

    /// Prints a line for each change, and a last one when a signal ends it.
    func keepWatching(_ client: FishClient) async throws(FishError) -> Int32 {
        guard let signals = Signals() else {
            Output.explain("signals: \(String(cString: strerror(errno)))")
            return Exit.failed
        }
        let watch = try client.watch(try asked.query(), asked.watching)
        let following = Task { () -> FishLevel in
            var level = FishLevel.unknown
            for await state in watch {
                level = state.level
                output.putLine(state, asked)
                if !output.flush() { break }
            }
            return level
        }
        signals.whenOneComes { following.cancel() }
        var level = await following.value
        if signals.came {
            let state = watch.read()
            level = state.level
            output.putLine(state, asked)
        }
        watch.cancel()
        guard level != .unknown else {
            Output.explain("no balance was read.")
            return Exit.failed
        }
        return outcome(level)
    }

    func levelOf(_ micros: Int64) -> FishLevel {
        if micros <= 0 { return .empty }
        return micros < asked.lowMicros ?? 0 ? .low : .ok
    }

    /// The exit status for a credit that was shown.
    func outcome(_ level: FishLevel) -> Int32 {
        switch level {
        case .empty: Exit.empty
        case .low: Exit.low
        default: Exit.shown
        }
    }
}

/// The signals that end a watch. Their handler writes into a pipe: a signal source of Dispatch leaves them blocked on
/// Linux, and a second Ctrl-C could not end the program at once.
@MainActor
final class Signals {
    private(set) var came = false
    private let readingEnd: Int32

    /// nil: errno says why.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        (readingEnd, writingEnd) = (ends[0], ends[1])
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                let before = errno
                var byte: UInt8 = 0
                _ = write(writingEnd, &byte, 1)
                signal(number, SIG_DFL)
                errno = before
            }
        }
    }

    /// Calls `act` once one has come.
    func whenOneComes(_ act: @escaping @MainActor () -> Void) {
        let source = DispatchSource.makeReadSource(fileDescriptor: readingEnd, queue: .main)
        source.setEventHandler {
            source.cancel()
            MainActor.assumeIsolated {
                self.came = true
                act()
            }
        }
        source.activate()
    }
}

/// Of the pipe. Set before the handler that reads it.
private nonisolated(unsafe) var writingEnd: Int32 = -1
