import JSON
import Testing

@testable import ipam_node

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("A list of nodes in a file")
final class NodesFileTests {
  private let path = "/tmp/ipam-node-tests-\(getpid())-\(UInt64.random(in: 0 ... .max)).yaml"

  deinit { unlink(path) }

  private func write(_ text: String, secondsAgo age: Int) throws {
    let file = try #require(fopen(path, "w"))
    fputs(text, file)
    fclose(file)
    var times = [timeval](repeating: timeval(tv_sec: time(nil) - age, tv_usec: 0), count: 2)
    utimes(path, &times)
  }

  @Test("may be YAML or JSON")
  func forms() throws {
    for text in ["nodes: []\n", "{\"nodes\": []}", "{nodes: []}"] {
      try write(text, secondsAgo: 0)
      #expect(try NodesFile(path).read()?.objectValue?["nodes"]?.arrayValue?.isEmpty == true)
    }
  }

  @Test("that was just written is read again, because a second version might look the same")
  func young() throws {
    let file = NodesFile(path)
    try write("nodes: []\n", secondsAgo: 0)
    #expect(try file.read() != nil)
    try write("nodes: 17\n", secondsAgo: 0)
    #expect(try file.read()?.objectValue?["nodes"]?.numberValue == 17)
  }

  @Test("that cannot be understood or read is an error each time, and names the file")
  func failures() throws {
    let file = NodesFile(path)
    for text in ["{\"nodes\": [", "", "a: b: c"] {
      try write(text, secondsAgo: 60)
      for _ in 1...2 {
        let error = #expect(throws: NodesFile.Failure.self) { try file.read() }
        #expect(error?.description.contains(path) == true)
      }
    }
    unlink(path)
    #expect(throws: NodesFile.Failure.self) { try file.read() }
  }
}
