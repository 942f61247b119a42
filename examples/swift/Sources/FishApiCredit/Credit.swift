// The API credit.

import CFish
import Foundation

/// An account's API credit, which API calls spend; not the platform credit of a plan.
public struct FishCredit: Sendable, Hashable {
    public let id: String
    public let userID: String
    /// The balance, presumably in US dollars. May be negative. `Decimal` has 38 digits; `creditText` has all.
    public let credit: Decimal
    /// The balance, exactly as sent.
    public let creditText: String
    /// The balance x 1,000,000, rounded down, saturating.
    public let creditMicros: Int64
    /// False if `creditMicros` was rounded or saturated.
    public let creditMicrosExact: Bool
    /// The total ever paid in. nil: not sent.
    public let cumulativeTopUp: Decimal?
    public let cumulativeTopUpText: String?
    /// nil: the text is not an RFC 3339 time.
    public let createdAt: Date?
    public let updatedAt: Date?
    /// As sent.
    public let createdAtText: String
    public let updatedAtText: String
    /// nil: not sent.
    public let hasPhone: Bool?
    /// nil: not sent, as without `checkFreeCredit`.
    public let hasFreeCredit: Bool?
    /// The server's id for this request, to quote to its support. nil: not sent.
    public let requestID: String?

    /// Copies the library's credit and frees it.
    init(taking filled: inout fish_api_credit) {
        self.init(copying: filled)
        fish_api_credit_free(&filled)
    }

    init(copying filled: fish_api_credit) {
        id = text(filled.id) ?? ""
        userID = text(filled.user_id) ?? ""
        creditText = text(filled.credit) ?? ""
        creditMicros = filled.credit_micros
        creditMicrosExact = filled.credit_micros_exact
        credit = decimal(creditText, micros: filled.credit_micros)
        let topUp = text(filled.cumulative_top_up)
        let topUpMicros = filled.cumulative_top_up_micros
        cumulativeTopUpText = topUp
        cumulativeTopUp = topUp.map { decimal($0, micros: topUpMicros) }
        createdAt = date(filled.created_at_unix_us)
        updatedAt = date(filled.updated_at_unix_us)
        createdAtText = text(filled.created_at) ?? ""
        updatedAtText = text(filled.updated_at) ?? ""
        hasPhone = flag(filled.has_phone_sha256)
        hasFreeCredit = flag(filled.has_free_credit)
        requestID = text(filled.request_id)
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
