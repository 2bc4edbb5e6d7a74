{
  # CMakeLists.txt is the one build definition; node-gyp only hands over to it.
  "targets": [
    {
      "target_name": "lorp",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/Release/lorp.node"],
          "action": ["npx", "cmake-js", "compile"]
        }
      ]
    }
  ]
}
