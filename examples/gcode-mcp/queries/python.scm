(class_definition name: (identifier) @name) @definition.class
(function_definition name: (identifier) @name) @definition.function
(module (expression_statement (assignment left: (identifier) @name) @definition.constant))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @definition.field)))

(call function: (identifier) @reference.call)
(call function: (attribute attribute: (identifier) @reference.call.member))
(decorator (identifier) @reference.call)
(class_definition superclasses: (argument_list (identifier) @reference.inherit))
(import_statement name: (dotted_name (identifier) @reference.import))
(import_from_statement name: (dotted_name (identifier) @reference.import.member))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @reference.import.member)))
(type (identifier) @reference.type)
(attribute attribute: (identifier) @reference.use.member)
(keyword_argument name: (identifier) @ignored)
(identifier) @reference.use

(parameters (identifier) @local)
(typed_parameter (identifier) @local)
(default_parameter name: (identifier) @local)
(typed_default_parameter name: (identifier) @local)
(lambda_parameters (identifier) @local)
(assignment left: (identifier) @local)
(assignment left: (pattern_list (identifier) @local))
(for_statement left: (identifier) @local)
(for_statement left: (pattern_list (identifier) @local))
(for_in_clause left: (identifier) @local)
(as_pattern alias: (as_pattern_target (identifier) @local))
