public import CalicoModel
public import IPAddressing
public import JSON

/// A report as `ipam release --from-report` needs it: what it says may be released, and of which datastore.
public struct ReleaseReport: Sendable {
  public private(set) var head = AllocationReport.Head(version: "")
  /// Addresses that nobody uses and that do not cool down.
  public private(set) var idle: [IPAddress: ReleaseOption] = [:]
  public private(set) var leakedHandles: [LeakedHandle] = []

  /// Reads a report from front to back; of addresses that are in use nothing is kept.
  ///
  /// - Parameter document: the file's content.
  /// - Throws: `JSONError` when it is no report.
  public init(_ document: [UInt8]) throws(JSONError) {
    self.init()
    try JSONReader.read(document) { reader throws(JSONError) in
      try reader.beginObject()
      while let key = try reader.nextKey() {
        if key.is("version") {
          head.version = try reader.readString()
        } else if key.is("clusterGUID") {
          head.clusterGUID = try reader.readString()
        } else if key.is("clusterInformationRevision") {
          head.revision = try reader.readString()
        } else if key.is("datastoreLocked") {
          head.isLocked = try reader.readBool()
        } else if key.is("allocations") {
          try readAllocations(&reader)
        } else if key.is("leakedHandles") {
          try readHandles(&reader)
        } else {
          try reader.skipValue()
        }
      }
    }
  }

  private init() {}

  private mutating func readAllocations(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while try reader.nextKey() != nil {
      if try reader.readNull() { continue }
      try reader.beginArray()
      while try reader.nextElement() { try readAllocation(&reader) }
    }
  }

  private mutating func readAllocation(_ reader: inout JSONReader) throws(JSONError) {
    var address: IPAddress?
    var option: (handle: String?, number: UInt64) = (nil, 0)
    var isIdle = true
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("ip") {
        address = IPAddress(try reader.readString())
      } else if key.is("handle") {
        option.handle = try reader.readString()
      } else if key.is("sequenceNumber") {
        option.number = try reader.readInteger()
      } else if key.is("inUse") || key.is("coolingDown") {
        if try reader.readBool() { isIdle = false }
      } else {
        try reader.skipValue()
      }
    }
    guard isIdle, let address else { return }
    idle[address] = ReleaseOption(address, handleID: option.handle, sequenceNumber: option.number)
  }

  private mutating func readHandles(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginArray()
    while try reader.nextElement() {
      var handle = LeakedHandle(identifier: "", uid: nil, revision: "")
      try reader.beginObject()
      while let key = try reader.nextKey() {
        if key.is("ID") {
          handle.identifier = try reader.readString()
        } else if key.is("UID") {
          handle.uid = try reader.readNull() ? nil : try reader.readString()
        } else if key.is("Revision") {
          handle.revision = try reader.readString()
        } else {
          try reader.skipValue()
        }
      }
      leakedHandles.append(handle)
    }
  }

  /// What all of some reports say may be released: addresses as the last report has them, and handles whose revision is
  /// the same in all.
  public static func common(
    to reports: [ReleaseReport]
  ) -> (addresses: [ReleaseOption], handles: [LeakedHandle]) {
    guard let last = reports.last else { return ([], []) }
    let others = reports.dropLast()
    let addresses = last.idle.keys.sorted().filter { address in others.allSatisfy { $0.idle[address] != nil } }
    let handles = last.leakedHandles.filter { handle in
      others.allSatisfy { report in
        report.leakedHandles.contains { $0.identifier == handle.identifier && $0.revision == handle.revision }
      }
    }
    return (addresses.compactMap { last.idle[$0] }, handles)
  }
}
