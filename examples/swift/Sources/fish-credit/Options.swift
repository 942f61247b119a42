// The command line.

import FishApiCredit
import Foundation

/// Why the command line is wrong.
struct Complaint: Error {
    let text: String
}

/// The parsed command line.
struct Request: Sendable {
    private(set) var help = false
    private(set) var version = false
    private(set) var watch = false
    private(set) var json = false
    private(set) var prometheus = false
    private(set) var checkFreeCredit = false
    private(set) var lowMicros: Int64?
    private var timeout: Duration?
    private var interval: Duration?
    /// The values of the other options, by their names.
    private var given: [String: String] = [:]

    /// The kind of wallet, as a label.
    var wallet: String { given["--team"] == nil ? "account" : "team" }

    func client() throws(FishError) -> FishClientOptions {
        FishClientOptions(baseURL: try text("--base-url"), timeout: timeout)
    }

    func query() throws(FishError) -> FishQuery {
        FishQuery(userID: try text("--user"), teamID: try text("--team"), checkFreeCredit: checkFreeCredit)
    }

    var watching: FishWatchOptions {
        FishWatchOptions(interval: interval, low: lowMicros.map { Decimal($0) / 1_000_000 })
    }

    init(_ arguments: [String]) throws(Complaint) {
        let flags: [String: WritableKeyPath<Request, Bool>] = [
            "--help": \.help, "-h": \.help, "--version": \.version, "--check-free-credit": \.checkFreeCredit,
            "--watch": \.watch, "--json": \.json, "--prometheus": \.prometheus,
        ]
        let valued = ["--user", "--team", "--base-url", "--timeout", "--interval", "--low"]
        var left = arguments[...]
        while let argument = left.popFirst() {
            // By bytes: to Swift, an equals sign and an accent after it are one character.
            let parts = argument.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])!
            if let flag = flags[name], parts.count == 1 {
                self[keyPath: flag] = true
                if help || version { return }
            } else if !valued.contains(name) {
                guard Self.isOptionName(name) else {
                    let number = arguments.count - left.count
                    throw Complaint(text: "argument \(number) is not an option; set the key in FISH_API_KEY, see --help.")
                }
                throw Complaint(text: "unknown option \(name)\(parts.count == 1 ? "" : "="); see --help.")
            } else if let value = parts.count == 1 ? left.popFirst() : String(parts[1]) {
                given[name] = value
            } else {
                throw Complaint(text: "\(name) needs a value; see --help.")
            }
        }
        try takeNumbers()
    }

    private mutating func takeNumbers() throws(Complaint) {
        let mostMilliseconds = Int64(UInt32.max)
        if let text = given["--timeout"] {
            guard let milliseconds = Self.whole(text, atMost: mostMilliseconds), milliseconds > 0 else {
                throw Complaint(text: "--timeout takes whole milliseconds, from 1 to 4294967295.")
            }
            timeout = .milliseconds(milliseconds)
        }
        if let text = given["--interval"] {
            guard watch else { throw Complaint(text: "--interval needs --watch; see --help.") }
            guard let seconds = Self.whole(text, atMost: mostMilliseconds / 1000), seconds > 0 else {
                throw Complaint(text: "--interval takes whole seconds, from 1 to 4294967.")
            }
            interval = .seconds(seconds)
        }
        if let text = given["--low"] {
            lowMicros = Self.amount(text)
            guard lowMicros != nil else {
                throw Complaint(
                    text: "--low takes an amount above 0 with at most six decimals, such as 5 or 0.50.")
            }
        }
        if prometheus && (watch || json) {
            throw Complaint(text: "--prometheus cannot be combined with --watch or --json; see --help.")
        }
    }

    /// Anything else may be a misplaced key, so it is not printed.
    private static func isOptionName(_ name: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        return name.hasPrefix("--") && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || letters.contains($0) }
    }

    /// Takes digits only, up to `most`.
    private static func whole(_ text: String, atMost most: Int64) -> Int64? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard text.utf8.allSatisfy(digits.contains), let value = Int64(text), value <= most else { return nil }
        return value
    }

    /// Millionths of "12.34". It must be above 0, because 0 means no limit to the package.
    private static func amount(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let decimals = parts.count == 1 ? "0" : parts[1]
        guard !decimals.isEmpty, decimals.utf8.count <= 6,
            let units = whole(parts[0], atMost: Int64.max / 1_000_000 - 1),
            let fraction = whole(decimals + String(repeating: "0", count: 6 - decimals.utf8.count), atMost: 999_999)
        else { return nil }
        let micros = units * 1_000_000 + fraction
        return micros > 0 ? micros : nil
    }

    /// Swift puts U+FFFD in place of what is not UTF-8. Sent to the server, it would be another text than was meant.
    private func text(_ name: String) throws(FishError) -> String? {
        guard let text = given[name], text.unicodeScalars.contains("\u{fffd}") else { return given[name] }
        throw FishError(status: .invalidArgument, message: "\(name) is not valid UTF-8; encode it as UTF-8.")
    }
}
