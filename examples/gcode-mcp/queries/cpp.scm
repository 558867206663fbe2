; C too. A C++ member defined outside of its class has its container in its own name.

(function_definition declarator: (function_declarator
  declarator: (qualified_identifier scope: (_) @container name: (_) @name))) @definition.method
(function_definition declarator: (_ declarator: (function_declarator
  declarator: (qualified_identifier scope: (_) @container name: (_) @name)))) @definition.method
(function_definition declarator: (function_declarator declarator: [(identifier) (field_identifier)] @name)) @definition.function
(function_definition declarator: (_ declarator: (function_declarator
  declarator: [(identifier) (field_identifier)] @name))) @definition.function
(field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @definition.method
(field_declaration declarator: (_ declarator: (function_declarator
  declarator: (field_identifier) @name))) @definition.method
(field_declaration declarator: (field_identifier) @name) @definition.field
(class_specifier name: (type_identifier) @name body: (_)) @definition.class
(struct_specifier name: (type_identifier) @name body: (_)) @definition.struct
(union_specifier name: (type_identifier) @name body: (_)) @definition.struct
(enum_specifier name: (type_identifier) @name body: (_)) @definition.enum
(enumerator name: (identifier) @name) @definition.constant
(type_definition declarator: (type_identifier) @name) @definition.type
(alias_declaration name: (type_identifier) @name) @definition.type
(namespace_definition name: (namespace_identifier) @name) @definition.module
(preproc_def name: (identifier) @name) @definition.macro
(preproc_function_def name: (identifier) @name) @definition.macro

(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call.member))
(call_expression function: (qualified_identifier name: (identifier) @reference.call.member))
(new_expression type: (type_identifier) @reference.new.member)
(base_class_clause (type_identifier) @reference.inherit.member)
(type_identifier) @reference.type.member
(field_expression field: (field_identifier) @reference.use.member)
(qualified_identifier name: (identifier) @reference.use.member)
(identifier) @reference.use

(parameter_declaration declarator: (identifier) @local)
(parameter_declaration declarator: (_ (identifier) @local))
(declaration declarator: (identifier) @local)
(init_declarator declarator: (identifier) @local)
