// What is printed: for people, for programs, and why a call failed.

import FishApiCredit
import Foundation

/// Standard output. It keeps its first error.
@MainActor
final class Output {
    static let standard = Output()

    /// An output that is closed gets what cannot be written to. Else a descriptor that is opened later would have its
    /// number, and get what is printed.
    static func holdPlaces() {
        var place: Int32
        repeat { place = open("/dev/null", O_RDONLY) } while (0...STDERR_FILENO).contains(place)
        close(place)
    }

    private var pending = ""
    private var failure: Int32 = 0

    /// Prints, at the next `flush`.
    func put(_ text: String) {
        pending += text
    }

    /// Whether everything could be written so far.
    func flush() -> Bool {
        if failure == 0 { failure = writeAll(pending, to: STDOUT_FILENO) }
        pending = ""
        return failure == 0
    }

    /// Returns the exit status, which reports output that could not be written.
    func finish(_ outcome: Int32) -> Int32 {
        guard !flush() else { return outcome }
        Output.explain("standard output: \(String(cString: strerror(failure)))")
        return Exit.unwritten
    }

    // ---- For people

    func show(_ credit: FishCredit, _ level: FishLevel, _ asked: Request) {
        let unsaid = "not sent by the server"
        let whose =
            asked.wallet == "team"
            ? "the team's API credit, not the account's" : "the account's API credit, not a team's"
        let free = asked.checkFreeCredit ? unsaid : "not requested (--check-free-credit)"
        put(row("API credit", dollars(credit)))
        put(row("  exact text", credit.creditText))
        put(row("  which wallet", "\(whose) or a plan's platform credit"))
        if asked.lowMicros != nil { put(row("  level", "\(level)")) }
        put(row("Total paid in", credit.cumulativeTopUpText ?? unsaid))
        put(row("Free credit left", credit.hasFreeCredit.map { $0 ? "yes" : "no" } ?? free))
        put(row("Phone number known", credit.hasPhone.map { $0 ? "yes" : "no" } ?? unsaid))
        put(row("Account", credit.userID))
        put(row("Wallet", credit.id))
        put(row("Created", credit.createdAtText))
        put(row("Last changed", credit.updatedAtText))
    }

    /// Prints one line with the watch's state.
    func putLine(_ state: FishWatchState, _ asked: Request) {
        let now = ISO8601DateFormatter().string(from: Date())
        let message = state.error.map { inOptions($0.message) }
        if asked.json {
            // The credit is a number: nothing to escape.
            let credit = state.credit.map { "\"\($0.creditText)\"" } ?? "null"
            put(#"{"time":"\#(now)","wallet":"\#(asked.wallet)","credit":\#(credit),"level":"\#(state.level)""#)
            put(#","age_ms":\#(milliseconds(state.age ?? .zero)),"status":"\#(state.status)""#)
            put(#","failures":\#(state.failures),"message":\#(message.map(quoted) ?? "null")}"# + "\n")
            return
        }
        put("\(now)  API credit of the \(asked.wallet): ")
        if let credit = state.credit {
            put("\(dollars(credit)) (\(credit.creditText)), \(state.level)")
        } else {
            put(state.status == .pending ? "not read yet" : "unknown")
        }
        if let message {
            if state.credit != nil { put(" \((state.age ?? .zero).components.seconds) s ago") }
            put("; \(state.status): \(plain(message))")
        }
        put("\n")
    }

    // ---- For programs

    /// Prints Prometheus' text format, also for a failure (credit is nil).
    func expose(_ credit: FishCredit?, _ level: FishLevel, _ asked: Request) {
        func metric(_ name: String, _ help: String, _ value: String) {
            put("# HELP fish_api_credit_\(name) \(help)\n# TYPE fish_api_credit_\(name) gauge\n")
            put("fish_api_credit_\(name){wallet=\"\(asked.wallet)\"} \(value)\n")
        }
        metric("success", "Whether the API credit could be read: 1 or 0.", credit == nil ? "0" : "1")
        metric("level", "0 unknown, 1 ok, 2 low, 3 empty.", "\(level.rawValue)")
        guard let credit else { return }
        let balance = FishCredit.formatMicros(credit.creditMicros, decimals: 6)
        metric("balance", "The API credit that is left, in US dollars. Not a plan's platform credit.", balance)
        metric("age_seconds", "How long ago the balance was read.", "0")
    }

    // ---- Why it failed

    /// Prints "FISH_TIMED_OUT: message", followed by what the server sent.
    static func complain(_ error: FishError) {
        var text = "\(error.status): \(plain(inOptions(error.message)))\n"
        func add(_ label: String, _ said: String?) {
            if let said, !said.isEmpty { text += row(label, said) }
        }
        add("  the server said", error.apiMessage)
        add("  its reason", error.apiReason)
        for field in error.fields {
            let location = field.location.isEmpty ? "(no field)" : field.location
            var line = "  \(location): \(field.message.isEmpty ? field.type : field.message)"
            if let context = field.context, !context.isEmpty { line += " (\(context))" }
            text += plain(line) + "\n"
        }
        if let wait = error.retryAfter {
            // In tenths of a second, rounded up: never earlier than the server said.
            let tenths = (milliseconds(wait) + 99) / 100
            add("  ask again after", "\(tenths / 10).\(tenths % 10) s")
        }
        if error.attempts > 1 { add("  tried", "\(error.attempts) times") }
        add("  request id", error.requestID)
        _ = writeAll(text, to: STDERR_FILENO)
    }

    /// Prints a line of the command's own.
    static func explain(_ complaint: String) {
        _ = writeAll("fish-credit: \(complaint)\n", to: STDERR_FILENO)
    }
}

/// Writes all of it. Returns 0, or the errno of what could not be written.
private func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
        let written = left.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno != EINTR { return errno }
        left = left.dropFirst(max(written, 0))
    }
    return 0
}

/// Replaces control characters, with which a server's text could control the terminal.
private func plain(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        result.append(scalar.properties.generalCategory == .control ? "?" : scalar)
    }
    return String(result)
}

private func row(_ label: String, _ text: String) -> String {
    label.padding(toLength: 18, withPad: " ", startingAt: 0) + " \(plain(text))\n"
}

/// In cents, rounded down like the micros.
private func dollars(_ credit: FishCredit) -> String {
    let saturated = credit.creditMicros == .max || credit.creditMicros == .min
    if saturated && !credit.creditMicrosExact { return "see the exact text" }
    return FishCredit.formatMicros(credit.creditMicros) + " US dollars"
}

private func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
}

/// Text as JSON. Only control characters, quotes and backslashes are escaped.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// Replaces the package's names in a message by the command's options. Longer names come before their suffixes.
private func inOptions(_ message: String) -> String {
    let names = [
        ("apiKey or FISH_API_KEY", "FISH_API_KEY"), ("apiKey, or FISH_API_KEY", "FISH_API_KEY"),
        ("apiKey", "FISH_API_KEY"), ("baseURL", "--base-url"), ("userID", "--user"), ("teamID", "--team"),
        ("connectTimeout", "the connect timeout"), ("check the network, or raise it", "check the network"),
        ("exceeded timeout", "exceeded --timeout"), ("proxy or the proxy variables", "the proxy variables"),
        (" (see caFile and systemRoots)", ""), ("requestID", "the request id"),
        ("see fields and apiMessage", "check the options"),
    ]
    return names.reduce(message) { text, name in text.replacingOccurrences(of: name.0, with: name.1) }
}
