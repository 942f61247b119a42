// fish-credit: print the API credit of the account that FISH_API_KEY belongs to.
//
// Its exit status says what to do: 0 success, 1 try again later, 2 change something first. Errors are reported in one
// line on standard error.

import FishApiCredit
import Foundation

@main
struct FishCreditCommand {
    static func main() async {
        // A closed pipe is then a write error like any other.
        signal(SIGPIPE, SIG_IGN)
        exit(await run(Array(ProcessInfo.processInfo.arguments.dropFirst())))
    }

    static func run(_ arguments: [String]) async -> Int32 {
        guard arguments.count <= 1, arguments.first?.hasPrefix("-") != true else {
            return complain(2, "it takes at most one argument, the user's id; set the key in FISH_API_KEY")
        }
        do throws(FishError) {
            let client = try FishClient(
                FishClientOptions(
                    baseURL: ProcessInfo.processInfo.environment["FISH_BASE_URL"], userAgent: "fish-credit/1",
                    timeout: .seconds(10)))
            let credit = try await client.apiCredit(FishQuery(userID: arguments.first))
            var text = "API credit: \(credit.creditText) (not the platform credit of a plan)\n"
            if let updatedAt = credit.updatedAt {
                text += "last change: \(ISO8601DateFormatter().string(from: updatedAt))\n"
            }
            return show(text)
        } catch {
            var fields = error.apiMessage.map { ["  the server said: \($0)"] } ?? []
            fields += error.fields.map { "  \($0.location): \($0.message)" }
            return complain(error.isRetryable ? 1 : 2, here("\(error)"), fields)
        }
    }

    /// Replaces the package's names in a message by the command's arguments and variables.
    static func here(_ message: String) -> String {
        let names = [
            ("apiKey or FISH_API_KEY", "FISH_API_KEY"), ("apiKey, or FISH_API_KEY", "FISH_API_KEY"),
            ("apiKey", "FISH_API_KEY"), ("fields and apiMessage", "below"), ("baseURL", "FISH_BASE_URL"),
            ("userID is", "the user's id is"), ("userID, teamID", "the user's id"),
            ("userID and teamID unset", "the user's id out"), ("leave it unset for self", "leave it out for self"),
            ("proxy or the proxy variables", "the proxy variables"), (" (see caFile and systemRoots)", ""),
            ("connectTimeout", "the connect timeout"), ("exceeded timeout", "exceeded its time limit"),
            (", or raise it", ""), (" with requestID", ""),
        ]
        return names.reduce(message) { text, name in text.replacingOccurrences(of: name.0, with: name.1) }
    }

    /// Prints to standard output, and reports an error of that.
    static func show(_ text: String) -> Int32 {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
            return 0
        } catch {
            return complain(2, "standard output: \(error.localizedDescription)")
        }
    }

    static func complain(_ outcome: Int32, _ first: String, _ more: [String] = []) -> Int32 {
        for line in ["fish-credit: \(first)"] + more {
            // A server's text must not control the terminal.
            let plain = line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }
            try? FileHandle.standardError.write(contentsOf: Data((plain.joined() + "\n").utf8))
        }
        return outcome
    }
}
