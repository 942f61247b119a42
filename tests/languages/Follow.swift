// Runs the watch of docs/swift.md until its input ends.

import FishApiCredit
import Foundation

@main
struct Follow {
    static func main() async throws {
        let baseURL = ProcessInfo.processInfo.environment["FISH_BASE_URL"]
        let client = try FishClient(FishClientOptions(baseURL: baseURL))
        let following = Task { try await follow(client) }
        Thread.detachNewThread {
            while readLine() != nil {}
            following.cancel()
        }
        try await following.value
    }
}
