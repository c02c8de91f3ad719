import ArgumentParser

/// What belongs to the addresses of pools.
struct IPAMCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipam",
    abstract: "Addresses of pools, which calico-ipam gives to containers from blocks.",
    discussion: """
      Examples:
        ipamctl ipam show                       how much of each pool is in use
        ipamctl ipam show --ip 10.65.0.2        who holds an address
        ipamctl ipam map                        how blocks and addresses are used, as a picture
        ipamctl ipam explain --node node-a      which address a pod would get there, and why
        ipamctl ipam check                      what does not fit together
        ipamctl ipam gc                         what would be released and repaired
        ipamctl ipam gc --apply                 do it
      """,
    subcommands: [
      IPAMShowCommand.self, IPAMMapCommand.self, IPAMExplainCommand.self, IPAMCheckCommand.self,
      IPAMReleaseCommand.self, IPAMSplitCommand.self, IPAMConfigureCommand.self, IPAMCollectCommand.self,
    ]
  )
}
