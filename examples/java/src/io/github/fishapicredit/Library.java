package io.github.fishapicredit;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Finds and loads the library's file, when it is first used.
 */
final class Library {
    private static final String OS = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    static final boolean WINDOWS = OS.startsWith("windows");
    private static SymbolLookup symbols;

    private Library() {}

    /** Loads the library if it is not loaded yet. */
    static synchronized void load() {
        if (symbols == null) {
            symbols = find();
        }
    }

    /** A function of the library, for Abi. */
    static synchronized MethodHandle function(String name, FunctionDescriptor type) {
        load();
        var address = symbols.find(name).orElseThrow(() -> new UnsatisfiedLinkError(
                "this is not the package's libfish_api_credit: it has no " + name + "; install the two together"));
        return Linker.nativeLinker().downcallHandle(address, type);
    }

    private static SymbolLookup find() {
        var named = System.getProperty("fish_api_credit.library", System.getenv("FISH_API_CREDIT_LIBRARY"));
        if (named != null && !named.isEmpty()) {
            var found = open(named);
            if (found == null) {
                throw new UnsatisfiedLinkError("libfish_api_credit cannot be loaded from " + named);
            }
            return checked(found, named);
        }
        for (var folder : folders()) {
            for (var name : names()) {
                var file = folder.resolve(name);
                var found = Files.isRegularFile(file) ? open(file.toAbsolutePath().toString()) : null;
                if (found != null) {
                    return checked(found, file.toString());
                }
            }
        }
        for (var name : names()) {
            var found = open(name);
            if (found != null) {
                return checked(found, name);
            }
        }
        throw new UnsatisfiedLinkError("libfish_api_credit was not found; install it, put it beside the jar, or set "
                + "FISH_API_CREDIT_LIBRARY to its file");
    }

    private static List<String> names() {
        if (WINDOWS) {
            return List.of("fish_api_credit.dll");
        }
        return OS.startsWith("mac") ? List.of("libfish_api_credit.0.dylib", "libfish_api_credit.dylib")
                : List.of("libfish_api_credit.so.0", "libfish_api_credit.so");
    }

    /** The jar's folder, and java.library.path. */
    private static List<Path> folders() {
        var folders = new ArrayList<Path>();
        try {
            var source = Library.class.getProtectionDomain().getCodeSource();
            if (source != null && source.getLocation() != null) {
                var place = Path.of(URI.create(source.getLocation().toString()));
                folders.add(Files.isDirectory(place) ? place : place.toAbsolutePath().getParent());
            }
        } catch (IllegalArgumentException | java.nio.file.FileSystemNotFoundException | SecurityException elsewhere) {
            // The classes do not come from a file.
        }
        for (var folder : System.getProperty("java.library.path", "").split(java.io.File.pathSeparator)) {
            try {
                if (!folder.isEmpty()) {
                    folders.add(Path.of(folder));
                }
            } catch (InvalidPathException none) {
                // Not a folder.
            }
        }
        return folders;
    }

    private static SymbolLookup open(String name) {
        try {
            return SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException missing) {
            return null;
        }
    }

    private static SymbolLookup checked(SymbolLookup found, String name) {
        var version = found.find("fish_abi_version").orElseThrow(
                () -> new UnsatisfiedLinkError(name + " is not libfish_api_credit"));
        int abi;
        try {
            abi = (int) Linker.nativeLinker()
                    .downcallHandle(version, FunctionDescriptor.of(ValueLayout.JAVA_INT)).invokeExact();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
        if (abi != Abi.ABI_VERSION) {
            throw new UnsatisfiedLinkError(name + " has ABI " + Integer.toUnsignedString(abi)
                    + ", but this package is for ABI " + Abi.ABI_VERSION + "; install the two together");
        }
        return found;
    }
}
