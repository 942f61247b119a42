// fish-credit: print the API credit of the account that FISH_API_KEY belongs to.
//
// Its exit code says what to do: 0 all is well, 1 try again later, 2 mend something first.

import FishApiCredit
import Foundation

@main
struct FishCreditCommand {
    static func main() async {
        exit(await run(user: ProcessInfo.processInfo.arguments.dropFirst().first))
    }

    static func run(user: String?) async -> Int32 {
        do throws(FishError) {
            let client = try FishClient(
                FishClientOptions(
                    baseURL: ProcessInfo.processInfo.environment["FISH_BASE_URL"], userAgent: "fish-credit/1",
                    timeout: .seconds(10)))
            let credit = try await client.apiCredit(FishQuery(userID: user))
            print("API credit: \(credit.creditText) (not the platform credit of a plan)")
            if let updatedAt = credit.updatedAt {
                print("last change: \(ISO8601DateFormatter().string(from: updatedAt))")
            }
            return 0
        } catch {
            complain("fish-credit: \(error)")
            for field in error.fields {
                complain("  \(field.location): \(field.message)")
            }
            return error.isRetryable ? 1 : 2
        }
    }

    static func complain(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
