// The API credit.

import CFish
import Foundation

/// An account's API credit, which API calls spend; not the platform credit of a plan.
public struct FishCredit: Sendable, Hashable {
    // Generated from src/ffi: the fields of fish_api_credit.
    /// The wallet's id ("_id").
    public let id: String
    /// The account's id.
    public let userID: String
    /// The balance as exact decimal text, as sent, presumably in US dollars. May be negative.
    public let creditText: String
    /// `creditText` as a number, which holds 38 digits.
    public let credit: Decimal
    /// The total ever paid in, as decimal text. nil if the server did not send it.
    public let cumulativeTopUpText: String?
    /// `cumulativeTopUpText` as a number, which holds 38 digits.
    public let cumulativeTopUp: Decimal?
    /// When the wallet was created, as sent (RFC 3339).
    public let createdAtText: String
    /// When the wallet last changed, as sent (RFC 3339).
    public let updatedAtText: String
    /// The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. nil if the
    /// server did not send one, or after `init(json:)`.
    public let requestID: String?
    /// The balance x 1,000,000, rounded down (never overstated), saturating.
    public let creditMicros: Int64
    /// `cumulativeTopUp` x 1,000,000, likewise. nil if the server did not send it.
    public let cumulativeTopUpMicros: Int64?
    /// When the wallet was created. nil: the text is not an RFC 3339 time.
    public let createdAt: Date?
    /// When the wallet last changed. nil: the text is not an RFC 3339 time.
    public let updatedAt: Date?
    /// False if `creditMicros` was rounded or saturated. The text is always exact.
    public let creditMicrosExact: Bool
    /// Whether the account has a phone number. nil: absent or null.
    public let hasPhone: Bool?
    /// Whether free credit is left. nil: absent or null, as it is without `checkFreeCredit`.
    public let hasFreeCredit: Bool?
    // End of the generated part.

    /// Decodes a document from `FishClient.apiCreditJSON`. No network.
    public init(json: String) throws(FishError) {
        var filled = fish_api_credit()
        var failure = fish_error()
        let status = json.withCString { fish_api_credit_from_json($0, json.utf8.count, &filled, &failure) }
        guard status == succeeded else { throw FishError(taking: &failure) }
        self.init(taking: &filled)
    }

    /// Exact text for a person, rounded down, so that it never overstates a balance: 12345678 is "12.34", -1 is "-0.01".
    /// Decimals are 0 to 6; others become the nearest of these.
    public static func formatMicros(_ micros: Int64, decimals: Int = 2) -> String {
        var text = [CChar](repeating: 0, count: 32)
        let length = fish_format_micros(micros, UInt32(min(max(decimals, 0), 6)), &text, text.count)
        return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Copies the library's credit and frees it.
    init(taking filled: inout fish_api_credit) {
        self.init(copying: filled)
        fish_api_credit_free(&filled)
    }

    init(copying filled: fish_api_credit) {
        // Generated from src/ffi: how each is copied.
        id = text(filled.id) ?? ""
        userID = text(filled.user_id) ?? ""
        creditText = text(filled.credit) ?? ""
        credit = decimal(text(filled.credit) ?? "", micros: filled.credit_micros)
        cumulativeTopUpText = text(filled.cumulative_top_up)
        cumulativeTopUp = text(filled.cumulative_top_up).map { decimal($0, micros: filled.cumulative_top_up_micros) }
        createdAtText = text(filled.created_at) ?? ""
        updatedAtText = text(filled.updated_at) ?? ""
        requestID = text(filled.request_id)
        creditMicros = Int64(filled.credit_micros)
        cumulativeTopUpMicros = filled.cumulative_top_up == nil ? nil : filled.cumulative_top_up_micros
        createdAt = date(filled.created_at_unix_us)
        updatedAt = date(filled.updated_at_unix_us)
        creditMicrosExact = filled.credit_micros_exact
        hasPhone = flag(filled.has_phone_sha256)
        hasFreeCredit = flag(filled.has_free_credit)
        // End of the generated part.
    }
}

/// A copy of C's text.
func text(_ pointer: UnsafePointer<CChar>?) -> String? {
    pointer.map { String(cString: $0) }
}

/// The text as a number, or the micros if Decimal cannot represent it.
private func decimal(_ text: String, micros: Int64) -> Decimal {
    Decimal(string: text) ?? Decimal(micros) / Decimal(1_000_000)
}

private func date(_ micros: Int64) -> Date? {
    micros == timeUnknown ? nil : Date(timeIntervalSince1970: Double(micros) / 1_000_000)
}

// C's fish_tristate, however Swift imports it.
private func flag<Tristate: RawRepresentable>(_ tristate: Tristate) -> Bool?
where Tristate.RawValue: BinaryInteger {
    flag(tristate.rawValue)
}

private func flag<Number: BinaryInteger>(_ tristate: Number) -> Bool? {
    if tristate == 0 { return false }
    return tristate == 1 ? true : nil
}
