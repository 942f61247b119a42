// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "FishApiCredit",
    platforms: [.macOS(.v13)],
    products: [
        .library(name: "FishApiCredit", targets: ["FishApiCredit"]),
        .executable(name: "fish-credit", targets: ["fish-credit"]),
    ],
    targets: [
        // The installed libfish_api_credit, found by pkg-config.
        .systemLibrary(name: "CFish", pkgConfig: "fish_api_credit"),
        .target(name: "FishApiCredit", dependencies: ["CFish"]),
        .executableTarget(name: "fish-credit", dependencies: ["FishApiCredit"]),
        .testTarget(name: "FishApiCreditTests", dependencies: ["FishApiCredit"]),
    ],
    swiftLanguageModes: [.v6]
)
