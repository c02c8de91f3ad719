import ArgumentParser

@main
struct IPAMCtl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ipamctl")
}
