; What JavaScript, TypeScript and TSX have in common. The first pattern that defines a name wins.

(function_declaration name: (identifier) @name) @definition.function
(generator_function_declaration name: (identifier) @name) @definition.function
(class_declaration name: (_) @name) @definition.class
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.method
(variable_declarator name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(variable_declarator name: (identifier) @name value: (class)) @definition.class
(program (lexical_declaration (variable_declarator name: (identifier) @name) @definition.constant))
(program (variable_declaration (variable_declarator name: (identifier) @name) @definition.constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @definition.constant)))

(call_expression function: (identifier) @reference.call)
(call_expression function: (member_expression property: (_) @reference.call.member))
(new_expression constructor: (identifier) @reference.new)
(new_expression constructor: (member_expression property: (_) @reference.new.member))
(import_specifier name: (identifier) @reference.import.member)
(import_clause (identifier) @reference.import)
(export_specifier name: (identifier) @reference.export)
(export_specifier alias: (identifier) @ignored)
(member_expression property: [(property_identifier) (private_property_identifier)] @reference.use.member)
(shorthand_property_identifier) @reference.use
(identifier) @reference.use

(variable_declarator name: (identifier) @local)
(shorthand_property_identifier_pattern) @local
(array_pattern (identifier) @local)
(pair_pattern value: (identifier) @local)
(rest_pattern (identifier) @local)
(assignment_pattern left: (identifier) @local)
(arrow_function parameter: (identifier) @local)
(catch_clause parameter: (identifier) @local)
(for_in_statement left: (identifier) @local)
