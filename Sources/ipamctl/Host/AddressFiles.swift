import IPAddressing

/// The kernel's own lists of a network namespace's addresses, below `/proc/<pid>/net`.
enum AddressFiles {
  /// The IPv4 addresses in `fib_trie`: leaves that are host routes of type local.
  ///
  /// ```
  ///            |-- 10.1.2.2
  ///               /32 host LOCAL
  /// ```
  static func addresses(fibTrie bytes: [UInt8]) -> Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    var leaf: IPAddress?
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "))
      if words.count == 2, words[0].elementsEqual("|--".utf8) {
        leaf = address(words[1])
      } else if words.count == 3, words[0].elementsEqual("/32".utf8), words[2].elementsEqual("LOCAL".utf8), let leaf {
        addresses.insert(leaf)
      }
    }
    return addresses
  }

  /// The IPv6 addresses in `if_inet6`: the first column, 32 digits without colons.
  ///
  /// ```
  /// 20010db8000100000000000000000002 02 40 00 80     eth0
  /// ```
  static func addresses(ifInet6 bytes: [UInt8]) -> Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let word = line.split(separator: UInt8(ascii: " ")).first, word.count == 32,
        let number = UInt128(String(decoding: word, as: UTF8.self), radix: 16)
      else { continue }
      addresses.insert(IPAddress(v6: number))
    }
    return addresses
  }

  /// All addresses of the namespace whose files lie in `directory`.
  ///
  /// - Throws: ``HostFiles/Failure``; for a process that has ended its ``HostFiles/Failure/isAbsence`` is true.
  static func addresses(in directory: String) throws(HostFiles.Failure) -> Set<IPAddress> {
    let v4 = addresses(fibTrie: try HostFiles.contents(of: directory + "/fib_trie"))
    do {
      return v4.union(addresses(ifInet6: try HostFiles.contents(of: directory + "/if_inet6")))
    } catch {
      guard error.isAbsence else { throw error }
    }
    // A kernel without IPv6 has no such file; neither has a process that just ended, but that has no `dev` any more.
    _ = try HostFiles.contents(of: directory + "/dev")
    return v4
  }

  private static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
    text.withUnsafeBufferPointer { IPAddress(utf8: $0) }
  }
}
