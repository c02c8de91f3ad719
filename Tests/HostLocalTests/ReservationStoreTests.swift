import FileSystem
import Glibc
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("The store of reservations")
struct ReservationStoreTests {
  private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  /// Reserves 10.0.0.1 and on, so that an index is worth having.
  private static func fill(_ directory: TemporaryDirectory, _ count: Int) throws {
    var store = try directory.store()
    for number in 1...count {
      let isReserved = try store.reserve(try address("10.0.0.\(number)"), for: .container("c\(number)"))
      #expect(isReserved)
    }
    store.finish()
  }

  private static func trustsIndex(_ directory: TemporaryDirectory) throws -> Bool {
    let store = try directory.store()
    return !store.isTableFresh
  }

  @Test("a reservation is one file with mode 0600 and the exact bytes")
  func reserves() throws {
    let directory = try TemporaryDirectory()
    var store = try directory.store()
    let isReserved = try store.reserve(try Self.address("10.0.0.1"), for: .container("c1"))
    #expect(isReserved)
    #expect(directory.read("data/net/10.0.0.1") == "c1\r\neth0")
    var status = stat()
    #expect(stat(directory.path + "/data/net/10.0.0.1", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(try directory.list("data/net") == ["10.0.0.1", "lock"])
  }

  @Test("an address that has a file of any kind is taken")
  func respectsEveryName() throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.0.0.1", "other\r\neth0")
    mkdir(directory.path + "/data/net/10.0.0.2", 0o755)
    symlink("/nowhere", directory.path + "/data/net/10.0.0.3")
    var store = try directory.store()
    for number in 1...3 {
      let isReserved = try store.reserve(try Self.address("10.0.0.\(number)"), for: .container("c1"))
      #expect(!isReserved)
    }
  }

  @Test("a small directory leaves no index behind")
  func staysSmall() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, ReservationIndex.smallestCount - 1)
    #expect(!(try Self.trustsIndex(directory)))
    #expect(throws: SystemError(number: ENOENT)) { try directory.list("run") }
  }

  @Test("an index is trusted by the next process, and says the same as the directory")
  func trusts() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    #expect(try Self.trustsIndex(directory))
    var store = try directory.store()
    let holdings = try store.holdings(of: .container("c7"))
    #expect(holdings.map(\.address) == [try Self.address("10.0.0.7")])
    let range = AddressRange(try Self.address("10.0.0.1"), through: try Self.address("10.0.0.99"))
    let free = store.firstFree(in: try #require(range))
    #expect(free == (try Self.address("10.0.0.41")))
  }

  enum ForeignChange: CaseIterable {
    case create, remove, replace, link, rename
  }

  @Test("a change by somebody else is noticed, whatever it is", arguments: ForeignChange.allCases)
  func noticesForeignChange(_ change: ForeignChange) throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    let base = directory.path + "/data/net/"
    switch change {
    case .create: try directory.write("data/net/10.0.0.99", "foreign\r\neth0")
    case .remove: directory.remove("data/net/10.0.0.7")
    case .replace:
      // Unlinked and made again at once: on many file systems the new file gets the very same inode.
      directory.remove("data/net/10.0.0.7")
      try directory.write("data/net/10.0.0.7", "foreign\r\neth0")
    case .link: link(base + "10.0.0.7", base + "10.0.0.98")
    case .rename: rename(base + "10.0.0.7", base + "10.0.0.97")
    }
    #expect(!(try Self.trustsIndex(directory)))
    var store = try directory.store()
    let foreign = try store.holdings(of: .container("foreign")).compactMap(\.address?.description)
    let seventh = try store.holdings(of: .container("c7")).compactMap(\.address?.description)
    let isSeventhTaken = store.table.record(of: try Self.address("10.0.0.7")) != nil
    switch change {
    case .create: #expect(foreign == ["10.0.0.99"] && seventh == ["10.0.0.7"])
    case .remove: #expect(seventh.isEmpty && !isSeventhTaken)
    case .replace: #expect(foreign == ["10.0.0.7"] && seventh.isEmpty)
    case .link: #expect(seventh == ["10.0.0.7", "10.0.0.98"])
    case .rename: #expect(seventh == ["10.0.0.97"] && !isSeventhTaken)
    }
    store.finish()
  }

  @Test("after a foreign change the index is trusted again at the next call")
  func recovers() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    try directory.write("data/net/10.0.0.99", "foreign\r\neth0")
    do {
      var store = try directory.store()
      store.finish()
    }
    #expect(try Self.trustsIndex(directory))
  }

  @Test("a process killed before it publishes leaves an index that nobody trusts")
  func distrustsUnfinished() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    do {
      var store = try directory.store()
      let isReserved = try store.reserve(try Self.address("10.0.0.50"), for: .container("killed"))
      #expect(isReserved)
      // No finish: everything up to here is what a killed process has done.
    }
    #expect(!(try Self.trustsIndex(directory)))
    var store = try directory.store()
    let holdings = try store.holdings(of: .container("killed"))
    #expect(holdings.compactMap(\.address?.description) == ["10.0.0.50"])
  }

  @Test("an index of another boot is nothing")
  func distrustsOtherBoot() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    try directory.boot("22222222-2222-2222-2222-222222222222")
    #expect(!(try Self.trustsIndex(directory)))
  }

  @Test("a copy of a directory, times and all, is not taken for the original")
  func distrustsClone() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    var status = stat()
    #expect(stat(directory.path + "/data/net", &status) == 0)
    rename(directory.path + "/data/net", directory.path + "/data/old")
    try directory.write("data/net/10.0.0.1", "c1\r\neth0")
    let clone = try File.open(directory.path + "/data/net", O_RDONLY | O_DIRECTORY)
    var times = [status.st_atim, status.st_mtim]
    #expect(futimens(clone.number, &times) == 0)
    #expect(!(try Self.trustsIndex(directory)))
  }

  @Test("an index whose content was edited in place is found out by the file")
  func verifiesHits() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    // Writing into a file does not touch the directory, so the index stays trusted.
    try directory.write("data/net/10.0.0.7", "edited\r\neth0")
    #expect(try Self.trustsIndex(directory))
    var store = try directory.store()
    let seventh = try store.holdings(of: .container("c7"))
    #expect(seventh.isEmpty)
    let edited = try store.holdings(of: .container("edited"))
    #expect(edited.compactMap(\.address?.description) == ["10.0.0.7"])
  }

  @Test("an index that was found out is put right, though the directory has become small")
  func correctsIndexOfSmallDirectory() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 20)
    do {
      var store = try directory.store()
      for number in 6...20 { store.remove(try Self.address("10.0.0.\(number)")) }
      store.finish()
    }
    try directory.write("data/net/10.0.0.1", "edited\r\neth0")
    do {
      var store = try directory.store()
      let holdings = try store.holdings(of: .container("c1"))
      #expect(holdings.isEmpty)
      store.finish()
    }
    #expect(try Self.trustsIndex(directory))
    var store = try directory.store()
    let holdings = try store.holdings(of: .container("edited"))
    #expect(holdings.count == 1)
  }

  @Test("a damaged index is done without", arguments: [0, 100, 4096, 5000])
  func survivesDamagedIndex(size: Int) throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 40)
    let name = try #require(try directory.list("run").first)
    try directory.write("run/" + name, [UInt8](repeating: 0x5A, count: size))
    var store = try directory.store()
    let holdings = try store.holdings(of: .container("c7"))
    #expect(holdings.count == 1)
  }

  @Test("without a place for an index everything works by reading")
  func worksWithoutIndex() throws {
    let directory = try TemporaryDirectory()
    try directory.write("run", "a file where the directory should be")
    try Self.fill(directory, 40)
    #expect(!(try Self.trustsIndex(directory)))
    var store = try directory.store()
    let holdings = try store.holdings(of: .container("c40"))
    #expect(holdings.count == 1)
  }

  @Test("files that are no addresses count as reservations by their content, in directories as well")
  func readsOddEntries() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 20)
    try directory.write("data/net/README", "odd\r\neth0")
    try directory.write("data/net/sub/deeper/10.0.0.77", "odd")
    try directory.write("data/net/last_reserved_ip.0", "odd")
    for _ in 1...2 {
      var store = try directory.store()
      let holdings = try store.holdings(of: .container("odd"))
      #expect(holdings.map { String(decoding: $0.name, as: UTF8.self) } == ["README", "sub/deeper/10.0.0.77"])
      #expect(holdings.map(\.isOldFormat) == [false, true])
      store.finish()
    }
    #expect(try Self.trustsIndex(directory))
  }

  @Test("what a symbolic link leads to is looked up each time, also behind a trusted index", arguments: [true, false])
  func followsLinks(isDanglingFirst: Bool) throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 20)
    symlink(directory.path + "/target", directory.path + "/data/net/10.0.0.50")
    if !isDanglingFirst { try directory.write("target", "zeroth\r\neth0") }
    for owner in ["", "first", "second"] {
      if !owner.isEmpty { try directory.write("target", owner + "\r\neth0") }
      var store = try directory.store()
      let isTaken = store.table.record(of: try Self.address("10.0.0.50")) != nil
      #expect(isTaken)
      // The present owner comes first: nothing has shown yet that the target is another one's now.
      for candidate in owner == "second" ? ["second", "first"] : ["first", "second"] {
        let holdings = try store.holdings(of: .container(candidate))
        #expect(holdings.compactMap(\.address?.description) == (candidate == owner ? ["10.0.0.50"] : []))
      }
      store.finish()
    }
    #expect(try Self.trustsIndex(directory))
  }

  @Test("a file in the place of a released link is one reservation")
  func replacesLink() throws {
    let directory = try TemporaryDirectory()
    try Self.fill(directory, 20)
    try directory.write("target", "linked\r\neth0")
    symlink(directory.path + "/target", directory.path + "/data/net/10.0.0.50")
    var store = try directory.store()
    let link = try #require(try store.holdings(of: .container("linked")).first)
    let isRemoved = store.remove(link)
    let isReserved = try store.reserve(try Self.address("10.0.0.50"), for: .container("linked"))
    #expect(isRemoved && isReserved)
    let holdings = try store.holdings(of: .container("linked"))
    #expect(holdings.count == 1)
    #expect(directory.read("target") == "linked\r\neth0")
  }

  @Test("an empty or all-NUL reservation is taken back with a warning; an old-format one is alive")
  func reclaimsDamage() throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.0.0.1", "")
    try directory.write("data/net/10.0.0.2", "\0\0\0\0")
    try directory.write("data/net/10.0.0.3", "c3")
    try directory.write("data/net/foreign", "")
    let log = Log()
    let store = try directory.store(log)
    #expect(try directory.list("data/net") == ["10.0.0.3", "foreign", "lock"])
    #expect(log.lines.count == 2)
    #expect(log.lines.allSatisfy { $0.contains("reclaimed") })
    let isTaken = store.table.record(of: try Self.address("10.0.0.3")) != nil
    #expect(isTaken)
  }

  @Test("a cursor is written over the old one and cut to length")
  func writesCursor() throws {
    let directory = try TemporaryDirectory()
    let store = try directory.store()
    try store.writeCursor(ofSet: 0, try Self.address("10.0.0.254"))
    try store.writeCursor(ofSet: 0, try Self.address("10.0.0.1"))
    #expect(directory.read("data/net/last_reserved_ip.0") == "10.0.0.1")
    let cursor = store.cursor(ofSet: 0)
    #expect(cursor == (try Self.address("10.0.0.1")))
    #expect(store.cursor(ofSet: 1) == nil)
  }
}
