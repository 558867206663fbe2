(impl_item type: (type_identifier) @container) @scope
(impl_item type: (generic_type type: (type_identifier) @container)) @scope

(function_item name: (identifier) @name) @definition.function
(function_signature_item name: (identifier) @name) @definition.function
(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name) @definition.struct
(enum_item name: (type_identifier) @name) @definition.enum
(enum_variant name: (identifier) @name) @definition.constant
(trait_item name: (type_identifier) @name) @definition.interface
(type_item name: (type_identifier) @name) @definition.type
(mod_item name: (identifier) @name) @definition.module
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.constant
(macro_definition name: (identifier) @name) @definition.macro
(field_declaration name: (field_identifier) @name) @definition.field

(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call.member))
(call_expression function: (scoped_identifier name: (identifier) @reference.call.member))
(call_expression function: (generic_function function: (identifier) @reference.call))
(call_expression function: (generic_function function: (scoped_identifier name: (identifier) @reference.call.member)))
(macro_invocation macro: (identifier) @reference.call.member)
(struct_expression name: (type_identifier) @reference.new.member)
(impl_item trait: (type_identifier) @reference.inherit.member)
(use_declaration argument: (scoped_identifier name: (identifier) @reference.import.member))
(use_list (identifier) @reference.import.member)
(scoped_use_list path: (identifier) @reference.import.member)
(scoped_identifier name: (identifier) @reference.use.member)
(type_identifier) @reference.type.member
(field_expression field: (field_identifier) @reference.use.member)
(identifier) @reference.use

(parameter pattern: (identifier) @local)
(let_declaration pattern: (identifier) @local)
(closure_parameters (identifier) @local)
(tuple_pattern (identifier) @local)
(tuple_struct_pattern (identifier) @local)
(for_expression pattern: (identifier) @local)
