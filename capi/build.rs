//! Names the shared library for the dynamic linker. Nothing here writes a file.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let os = target("OS");
    let apple = target("VENDOR") == "apple";
    if apple {
        // A Mach-O library carries the path by which programs that link it will look for it.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libfish_api_credit.0.dylib");
    } else if os == "windows" {
        // A DLL is found by its file name alone.
    } else {
        // The ABI may change until 1.0, so the SONAME carries the 0.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libfish_api_credit.so.0");
        // A lookup that never answers leaves a thread in this library's code: dlclose must not unmap it.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
