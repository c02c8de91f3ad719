import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The first page of a ``ReservationTable``: what it is about, how far it is filled, and the names of entries that are
/// not addresses.
struct TableHeader {
  /// "SIPAMHL" and the version of the layout.
  static let currentMagic: UInt64 = 0x4C48_4D41_5049_5301

  private let base: UnsafeMutableRawPointer

  init(_ base: UnsafeMutableRawPointer) { self.base = base }

  private enum Field {
    static let magic = 0
    static let capacity = 8
    static let blockCapacity = 12
    static let count = 16
    static let recordsUsed = 20
    static let freeRecord = 24
    static let blocksUsed = 28
    static let stampSeconds = 32
    static let stampNanoseconds = 36
    static let device = 40
    static let inode = 48
    static let boot = 64
    static let machine = 80
    static let oddNamesSize = 96
    static let isBeingChanged = 100
    static let pass = 104
    static let changeSeconds = 112
    static let changeNanoseconds = 120
    static let oddNames = 128
  }

  private func load<Value: BitwiseCopyable>(_ place: Int) -> Value { base.load(fromByteOffset: place, as: Value.self) }
  private func store(_ place: Int, _ value: some BitwiseCopyable) {
    base.storeBytes(of: value, toByteOffset: place, as: type(of: value))
  }

  var magic: UInt64 {
    get { load(Field.magic) }
    nonmutating set { store(Field.magic, newValue) }
  }
  /// Records that there is room for.
  var capacity: UInt32 {
    get { load(Field.capacity) }
    nonmutating set { store(Field.capacity, newValue) }
  }
  var blockCapacity: UInt32 {
    get { load(Field.blockCapacity) }
    nonmutating set { store(Field.blockCapacity, newValue) }
  }
  /// Records in use.
  var count: UInt32 {
    get { load(Field.count) }
    nonmutating set { store(Field.count, newValue) }
  }
  /// Records that were ever in use: those behind are untouched.
  var recordsUsed: UInt32 {
    get { load(Field.recordsUsed) }
    nonmutating set { store(Field.recordsUsed, newValue) }
  }
  /// The first record that was given back; 0 for none.
  var freeRecord: UInt32 {
    get { load(Field.freeRecord) }
    nonmutating set { store(Field.freeRecord, newValue) }
  }
  var blocksUsed: UInt32 {
    get { load(Field.blocksUsed) }
    nonmutating set { store(Field.blocksUsed, newValue) }
  }
  /// Counts comparisons with the directory; never 0.
  var pass: UInt32 {
    get { load(Field.pass) }
    nonmutating set { store(Field.pass, newValue) }
  }
  /// Set from the first change to the publishing of a shared table: whoever finds it set finds what a killed process left.
  var isBeingChanged: Bool {
    get { load(Field.isBeingChanged) as UInt32 != 0 }
    nonmutating set { store(Field.isBeingChanged, UInt32(newValue ? 1 : 0)) }
  }
  /// The directory's modification time while the table describes it.
  var stamp: DirectoryStamp {
    get { DirectoryStamp(seconds: load(Field.stampSeconds), nanoseconds: load(Field.stampNanoseconds)) }
    nonmutating set {
      store(Field.stampSeconds, newValue.seconds)
      store(Field.stampNanoseconds, newValue.nanoseconds)
    }
  }
  /// When the directory was last changed in any way, its stamp included.
  var directoryChange: ChangeTime {
    get { ChangeTime(seconds: load(Field.changeSeconds), nanoseconds: load(Field.changeNanoseconds)) }
    nonmutating set {
      store(Field.changeSeconds, newValue.seconds)
      store(Field.changeNanoseconds, newValue.nanoseconds)
    }
  }
  /// The directory that the table describes.
  var directory: FileNumber {
    get { FileNumber(device: load(Field.device), inode: load(Field.inode)) }
    nonmutating set {
      store(Field.device, newValue.device)
      store(Field.inode, newValue.inode)
    }
  }
  /// When and where the table was written.
  var boot: BootIdentity {
    get { BootIdentity(machine: load(Field.machine), boot: load(Field.boot)) }
    nonmutating set {
      store(Field.boot, newValue.boot)
      store(Field.machine, newValue.machine)
    }
  }

  /// Names of entries that are neither addresses nor the store's own files; they are read afresh each time. Names of
  /// directories end with a slash.
  var oddNames: [[UInt8]] {
    let size = Int(load(Field.oddNamesSize) as UInt32)
    guard size <= TableLayout.headerSize - Field.oddNames else { return [] }
    let bytes = UnsafeRawBufferPointer(start: base + Field.oddNames, count: size)
    return bytes.split(separator: 0).map { Array($0) }
  }

  /// Notes the names of odd entries; false when they have no room.
  func setOddNames(_ names: [[UInt8]]) -> Bool {
    let bytes = Array(names.joined(separator: [0]))
    guard bytes.count <= TableLayout.headerSize - Field.oddNames else { return false }
    store(Field.oddNamesSize, UInt32(bytes.count))
    UnsafeMutableRawBufferPointer(start: base + Field.oddNames, count: bytes.count).copyBytes(from: bytes)
    return true
  }

  /// Takes over what is not about filling: the directory, the boot, the stamp and the odd names.
  func copyIdentity(from other: TableHeader) {
    stamp = other.stamp
    directory = other.directory
    boot = other.boot
    // They fitted into a page of the same size.
    _ = setOddNames(other.oddNames)
  }
}

/// A file by device and inode number.
struct FileNumber: Hashable {
  var device: UInt64
  var inode: UInt64
}

/// A time of change as the kernel keeps it, for comparing with itself only.
struct ChangeTime: Hashable {
  var seconds: Int64
  var nanoseconds: Int64

  init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  init(_ status: stat) {
    seconds = Int64(status.st_ctim.tv_sec)
    nanoseconds = Int64(status.st_ctim.tv_nsec)
  }
}

/// A modification time that no clock gives: a date long past, its fraction counting the changes made by this package.
///
/// While the directory carries the stamp that the index names, nobody else has created, linked or removed a name in it,
/// because each of these sets the time to now. The seconds are drawn at random for each index, so that two indexes of
/// one directory (of two mount namespaces, say) never take the other's stamp for their own. Who puts a modification time
/// back, as an unpacked archive does, cannot put back the time of change, which the index names as well.
struct DirectoryStamp: Hashable {
  /// Seconds since 1970, below 2^29: before 1987.
  var seconds: UInt32
  var nanoseconds: UInt32

  static func random() -> DirectoryStamp {
    DirectoryStamp(seconds: UInt32.random(in: 1..<(1 << 29)), nanoseconds: UInt32.random(in: 1..<999_000_000))
  }

  /// The stamp after one more change.
  var next: DirectoryStamp {
    nanoseconds < 999_999_999 ? DirectoryStamp(seconds: seconds, nanoseconds: nanoseconds + 1) : .random()
  }
}
