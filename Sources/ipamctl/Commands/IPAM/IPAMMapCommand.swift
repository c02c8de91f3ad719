import ArgumentParser
import DatastoreAccess
import FileSystem
import PoolMap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// `ipamctl ipam map`
struct IPAMMapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    abstract: "Draws pools: which blocks and addresses are free, used, borrowed, cooling down or reserved.",
    discussion: """
      A pool is drawn with a cell for each block; a small one, a block, and whatever --addresses asks for with a cell for \
      each address. Each use has a character of its own, so that nothing depends on colours. Where there are more blocks \
      than can be drawn, only those that exist are, or a cell stands for several, and the map says so.

      --html writes a page that needs nothing but itself. It has blocks and addresses, names the node and the pod of \
      each, and searches for them. --svg writes a picture.

      An address that is given out counts as used or borrowed, also when a reservation was made for it later.

      Colours need a terminal and an environment without NO_COLOR. Exit status: 0; 1 when there is no such pool, the \
      datastore cannot be read, or a file cannot be written.

      Examples:
        ipamctl ipam map
        ipamctl ipam map default-ipv4-ippool --addresses
        ipamctl ipam map 10.65.3.17
        ipamctl ipam map --html map.html --svg map.svg
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Argument(
    help: ArgumentHelp(
      "The name or the range of a pool, a part of a range, or an address, which stands for its block. (default: all pools)",
      valueName: "pool"), completion: StoredNames.pools)
  var pool: String?

  @Flag(help: "Draw a cell for each address instead of each block.")
  var addresses = false

  @Option(
    help: ArgumentHelp("Write a page to this file; - is the standard output.", valueName: "file"),
    completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write a picture to this file; - is the standard output.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(help: "Whether to print in colours.")
  var color = ColourChoice.auto

  func validate() throws {
    if html == "" { throw ValidationError("--html is empty; name the file to write") }
    if svg == "" { throw ValidationError("--svg is empty; name the file to write") }
    if let html, html == svg { throw ValidationError("--html and --svg name the same file; name two") }
  }

  func run() async throws {
    let session = try await datastore.read()
    var transcript = try await execute(session, TerminalView.style(color, ProcessEnvironment.variables))
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Reads and draws; changes nothing but the files that are to be written.
  func execute(_ session: Session, _ style: TextStyle) async throws -> Transcript {
    do {
      let contents = try await PoolMapContents.read(session, pool)
      var transcript = Transcript(errors: contents.warnings.map { $0 + "\n" }.joined())
      if let html {
        let page = PageDrawing(contents.maps, source: session.store.name, time: session.now())
        try write(page.text, to: html, &transcript)
      }
      if let svg { try write(try picture(contents.maps), to: svg, &transcript) }
      guard html == nil, svg == nil else { return transcript }
      if contents.maps.isEmpty { transcript.line("There are no IP pools.") }
      transcript.output += contents.maps.map { TextDrawing($0, style, detail($0)).text }.joined(separator: "\n")
      return transcript
    } catch {
      return .failed(error.advised)
    }
  }

  private func detail(_ map: MappedPool) -> MapDetail { addresses || map.isSmall ? .addresses : .blocks }

  private func picture(_ maps: [MappedPool]) throws -> String {
    let count = maps.reduce(0) { sum, map in
      sum + (detail(map) == .addresses ? map.blocks.reduce(0) { $0 + $1.uses.count } : 0)
    }
    guard count <= SVGDrawing.addressLimit else {
      throw CommandFailure(
        "a picture of \(count) addresses is too large to be looked at, \(SVGDrawing.addressLimit) is the most; "
          + "leave --addresses out, name a part of the pool, or write a page with --html")
    }
    return SVGDrawing(maps, detail).text
  }

  private func write(_ text: String, to path: String, _ transcript: inout Transcript) throws {
    guard path != "-" else {
      transcript.output += text
      return
    }
    do throws(SystemError) {
      let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
      try File.writeAll(Array(text.utf8), to: file)
    } catch {
      let reason = strerror(error.number).map { String(cString: $0) } ?? "error \(error.number)"
      throw CommandFailure("cannot write \(path): \(reason); what is there may be incomplete")
    }
    transcript.line("wrote \(path), \(text.utf8.count) bytes")
  }
}
